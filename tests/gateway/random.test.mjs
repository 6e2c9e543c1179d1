// SPDX-License-Identifier: MIT
// Each vector belongs to its own text: overlapping batches, duplicates, formats, dimensions and ids,
// from many clients at once, while upstream fails now and then.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { cosine, embed, newHome, seeded, startEmulator, startGateway, vectorOf } from "./harness.mjs";

const texts = Array.from({ length: 400 }, (_, i) => `${["tide", "moss", "gear", "lamp"][i % 4]} ${i} ${i * 7919}`);
const dimensions = [undefined, 1536, 512, 64, 16];
let upstream, gateway, home, truth, ids;

before(async () => {
	home = newHome();
	upstream = await startEmulator("--latency", "3ms");
	gateway = await startGateway(upstream.base, home.path, "--workers", "2", "--max-in-flight", "4");
	truth = (await embed(upstream.base, { input: texts })).json.data.map(vectorOf);
	await upstream.reset();
	await upstream.faults("reset@3%", "fault@3%", "cut@2%");
	ids = new Map();
});

after(async () => {
	await gateway.stop();
	await upstream.stop();
	home.remove();
});

function check(answer, wanted, size) {
	assert.equal(answer.json.data.length, wanted.length);
	wanted.forEach((place, i) => {
		const item = answer.json.data[i];
		const vector = vectorOf(item);
		assert.equal(item.index, i);
		assert.equal(vector.length, size ?? 1536);
		const own = cosine(vector, truth[place].subarray(0, vector.length));
		assert.ok(own > 0.9999, `text ${place} at ${i}: cosine ${own} of ${vector.length}`);
	});
}

async function client(random, rounds) {
	for (let round = 0; round < rounds; round++) {
		const first = Math.floor(random() * texts.length);
		const spread = 1 + Math.floor(random() * 60);
		const count = 1 + Math.floor(random() * random() * 80);
		const wanted = Array.from({ length: count },
			() => (first + Math.floor(random() * spread)) % texts.length);
		const size = dimensions[Math.floor(random() * dimensions.length)];
		const input = wanted.map((place) => texts[place]);
		const answer = await embed(gateway.base, {
			input: count === 1 && random() < 0.5 ? input[0] : input,
			dimensions: size,
			encoding_format: ["base64", "float", undefined][Math.floor(random() * 3)],
		});
		assert.equal(answer.status, 200, answer.text.slice(0, 300));
		check(answer, wanted, size);
	}
}

test("every vector is its own text's", async () => {
	const seed = Number(process.env.EMBED_SEED ?? 1);
	const rounds = Number(process.env.EMBED_ROUNDS ?? 15);
	await Promise.all(Array.from({ length: 16 }, (_, i) => client(seeded(seed * 1000 + i), rounds)));
});

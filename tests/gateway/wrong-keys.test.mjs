// SPDX-License-Identifier: MIT
// Wrong keys: an address that shows too many is told to wait, and keeps nobody else out.
import assert from "node:assert/strict";
import { test } from "node:test";
import { embed, newHome, startEmulator, startGateway, withGateway } from "./harness.mjs";

const wrong = (i) => `emb-${String(i).padStart(43, "w")}`;
const ask = (gateway, key, input = "a text") => embed(gateway.base, { input }, { headers: { authorization: `Bearer ${key}` } });

test("past the limit it is answered 429 with the time to wait, and logged once", () => withGateway([], ["--wrong-keys", "5"],
	async ({ gateway, keys }) => {
	const began = performance.now();
	for (let i = 0; i < 5; i++)
		assert.equal((await ask(gateway, wrong(i))).status, 401);
	for (let i = 5; i < 8; i++) {
		const refused = await ask(gateway, wrong(i));
		assert.equal(refused.status, 429);
		assert.equal(refused.json.error.code, "too_many_wrong_keys");
		assert.match(refused.json.error.message, /^Too many wrong API keys came from your address\. Please try again in \d+s\.$/);
		const seconds = Number(refused.headers.get("retry-after"));
		const least = Math.floor(12 - (performance.now() - began) / 1000); // five a minute: one each 12 s
		assert.ok(seconds >= least && seconds <= 12, `${seconds}, at least ${least}`);
		assert.ok(refused.json.error.message.endsWith(` ${seconds}s.`));
		assert.doesNotMatch(refused.text, /www/);
	}
	assert.equal(gateway.log().match(/event=wrong_keys/g).length, 1);
	assert.match(gateway.log(), /event=wrong_keys peer=127\.0\.0\.1:\d+/);
	assert.doesNotMatch(gateway.log(), /ww/);
	const good = await ask(gateway, keys.good);
	assert.equal(good.status, 200, "a good key is let in whatever its address did");
	assert.equal((await embed(gateway.base, { input: "none" })).status, 401, "no key is no try");
}, { keys: [["good"]] }));

test("good keys are never counted", () => withGateway([], ["--wrong-keys", "2"], async ({ gateway, keys }) => {
	for (let i = 0; i < 10; i++)
		assert.equal((await ask(gateway, keys.good)).status, 200);
	assert.equal((await ask(gateway, wrong(1))).status, 401);
}, { keys: [["good"]] }));

test("callers' own keys that upstream refuses count, and then upstream is not asked", async () => {
	const home = newHome();
	const upstream = await startEmulator("--key", "sk-alice-0123456789");
	const gateway = await startGateway(upstream.base, home.path, "--pass-through", "--wrong-keys", "3");
	const sent = async () => (await upstream.stats()).embeddings_requests;
	try {
		for (let i = 0; i < 3; i++)
			assert.equal((await ask(gateway, `sk-mallory-${i}`)).status, 401);
		const before = await sent();
		const refused = await ask(gateway, "sk-mallory-9");
		assert.equal(refused.status, 429);
		assert.equal(refused.json.error.code, "too_many_wrong_keys");
		assert.equal(await sent(), before);
	} finally {
		await gateway.stop("SIGKILL");
		await upstream.stop("SIGKILL");
		home.remove();
	}
});

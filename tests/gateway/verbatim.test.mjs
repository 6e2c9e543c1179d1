// SPDX-License-Identifier: MIT
// The gateway cleans nothing: texts go upstream as they came, and texts that cleaning would make equal stay apart.
import assert from "node:assert/strict";
import { test } from "node:test";
import { embed, newHome, startGateway, startRecorder, vectorOf } from "./harness.mjs";

// One for each thing that a cleaning option names.
const odd = ["\ufeffmark", "line\r\nend\rhere", "cafe\u0301", "caf\u00e9", "\ufb01ne", "two  blanks \t and\u00a0more  ", "\u200bzero\u200d",
	"soft\u00adhyphen", "exam-\nple", "\u201cquoted\u201d \u2014 dashed", "<b>bold</b> &amp; more", "bell\u0007", "\n\n\n\n", " "];

test("texts with odd blanks, marks and markup reach the upstream as they came", async () => {
	const home = newHome();
	const upstream = await startRecorder();
	const gateway = await startGateway(upstream.base, home.path);
	try {
		const vectors = new Set();
		for (const text of odd) {
			const { status, json } = await embed(gateway.base, { model: "own-model", input: text });
			assert.equal(status, 200, JSON.stringify(text));
			vectors.add(JSON.stringify([...vectorOf(json.data[0])]));
		}
		assert.deepEqual(upstream.bodies.flatMap((body) => body.input), odd);
		assert.equal(vectors.size, odd.length, "each has a vector of its own");
	} finally {
		await gateway.stop("SIGKILL");
		upstream.stop();
		home.remove();
	}
});

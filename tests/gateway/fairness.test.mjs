// SPDX-License-Identifier: MIT
// Money, caps and neighbours: what one caller asks for costs no other its turn, its budget or its answer.
import assert from "node:assert/strict";
import { test } from "node:test";
import { embed, embedUntilHit, logged, newHome, run, startEmulator, startGateway, untilQueued, untilWorking, vectorOf, whileHeld, withGateway } from "./harness.mjs";

const as = (keys, name) => ({ authorization: `Bearer ${keys[name]}` });

test("a tenant's flood does not keep another's query waiting, though both are interactive", () => withGateway(
	["--slots", "1", "--latency", "10ms"], ["--max-in-flight", "1", "--batch-texts", "20"], async ({ upstream, gateway, keys }) => {
	let isFloodAnswered = false;
	const flood = assert.rejects(embed(gateway.base, { input: Array.from({ length: 20000 }, (_, i) => `flood ${i}`), dimensions: 2, encoding_format: "base64" },
		{ headers: as(keys, "flood") }).finally(() => { isFloodAnswered = true; }));
	await untilWorking(upstream);
	for (let i = 0; i < 5; i++) {
		const before = (await upstream.stats()).texts;
		assert.equal((await embed(gateway.base, { input: `a question ${i}`, dimensions: 2 }, { headers: as(keys, "other") })).status, 200);
		const after = (await upstream.stats()).texts;
		assert.ok(after - before <= 4000, `${after - before} of the flood's 20000 texts went first`);
	}
	assert.equal(isFloodAnswered, false);
	await gateway.stop("SIGKILL");
	await flood;
}, { keys: [["flood"], ["other"]] }));

test("more than 300,000 tokens in one request are taken, split upstream, and come back in order", () => withGateway([], [],
	async ({ upstream, gateway }) => {
	const input = Array.from({ length: 100 }, (_, i) => `${i} `.concat("word ".repeat(4000)));
	const { status, json } = await embed(gateway.base, { input, dimensions: 8 });
	assert.equal(status, 200);
	assert.ok(json.usage.prompt_tokens > 400000);
	const { embeddings_requests, tokens } = await upstream.stats();
	assert.ok(embeddings_requests >= 2 && tokens === json.usage.prompt_tokens);
	for (const i of [0, 42, 99])
		assert.deepEqual(vectorOf(json.data[i]), vectorOf((await embedUntilHit(gateway.base, { input: input[i], dimensions: 8 })).json.data[0]));
}));

test("past --max-texts and --max-body a request is refused before it costs anything", () => withGateway([], ["--max-texts", "100", "--max-body", "100K"],
	async ({ upstream, gateway }) => {
	const many = await embed(gateway.base, { input: Array.from({ length: 101 }, (_, i) => `t ${i}`) });
	assert.equal(many.status, 400);
	assert.match(many.json.error.message, /^Invalid 'input': array length must be 100 or less\.$/);
	const large = await embed(gateway.base, { input: "word ".repeat(30000) }).catch(() => undefined); // cut while it still sends
	if (large) assert.equal(large.status, 413);
	assert.equal((await upstream.stats()).embeddings_requests, 0);
}));

test("hits count in usage as if sent, or not at all", async () => {
	const home = newHome();
	const upstream = await startEmulator();
	try {
		for (const [policy, tokens] of [["count", 4], ["zero", 2]]) {
			const gateway = await startGateway(upstream.base, home.path, "--hit-usage", policy);
			await embedUntilHit(gateway.base, { input: "hello world" });
			const { json } = await embed(gateway.base, { input: ["hello world", `two ${policy}`] });
			assert.deepEqual(json.usage, { prompt_tokens: tokens, total_tokens: tokens });
			await gateway.stop();
		}
	} finally {
		await upstream.stop();
		home.remove();
	}
});

test("a budget is reserved before sending: of many at once only those go that it holds", () => withGateway(["--latency", "100ms"], [],
	async ({ upstream, gateway, keys }) => {
	// 50 tokens of 3-small each; the budget holds four of them.
	const answers = await Promise.all(Array.from({ length: 12 }, (_, i) =>
		embed(gateway.base, { input: `${"word ".repeat(48)}${String.fromCharCode(97 + i)}` }, { headers: as(keys, "thrifty") })));
	const good = answers.filter(({ status }) => status === 200);
	assert.equal(good.length, 4, answers.map(({ status }) => status).join());
	for (const { status, json, headers } of answers.filter((answer) => !good.includes(answer))) {
		assert.equal(status, 429);
		assert.equal(json.error.type, "insufficient_quota");
		assert.equal(json.error.code, "insufficient_quota");
		assert.equal(headers.get("retry-after"), null);
	}
	assert.ok((await upstream.stats()).tokens <= 200);
	assert.equal((await embed(gateway.base, { input: "another's" }, { headers: as(keys, "rich") })).status, 200);
}, { keys: [["thrifty", "--budget", "0.000004/day"], ["rich"]] }));

test("what was reserved for a request that failed is given back", () => withGateway([], [], async ({ upstream, gateway, keys }) => {
	const ask = (i) => embed(gateway.base, { input: `${"word ".repeat(48)}${i}` }, { headers: as(keys, "thrifty") });
	await upstream.faults("bad_input@next=8");
	for (let i = 0; i < 8; i++) assert.equal((await ask(i)).status, 400);
	assert.equal((await ask("good")).status, 200);
}, { keys: [["thrifty", "--budget", "0.000004/day"]] }));

test("an admin key may read counters, others' may not, when keys are asked for", () => withGateway([], [], async ({ gateway, keys }) => {
	// As a proxy in front brings it: from this machine, but for somebody else.
	const metrics = (headers) => fetch(`${gateway.base}/metrics`, { headers: { "x-forwarded-for": "192.0.2.7", ...headers } });
	assert.equal((await metrics({})).status, 401);
	assert.equal((await metrics(as(keys, "plain"))).status, 403);
	assert.equal((await metrics(as(keys, "admin"))).status, 200);
	assert.equal((await fetch(`${gateway.base}/dashboard/snapshot`, { headers: { "x-forwarded-for": "192.0.2.7", ...as(keys, "plain") } })).status, 403);
	assert.equal((await fetch(`${gateway.base}/metrics`)).status, 200, "from this machine itself");
}, { keys: [["plain"], ["admin", "--admin"]] }));

test("a key's lane is where its requests go, and a header may say otherwise", () => withGateway([],
	["--max-in-flight", "1", "--batch-texts", "10", "--workers", "1", "--log-level", "info"], async (setting) => {
	const { gateway, keys } = setting;
	const ask = async (name, count, headers) => {
		const input = Array.from({ length: count }, (_, i) => `${name} ${i}`);
		assert.equal((await embed(gateway.base, { input, dimensions: 2 }, { headers })).status, 200);
	};
	await whileHeld(setting, () => ask("plug", 1, as(keys, "quick")), () => Promise.all([ask("bulk", 100, as(keys, "slow")),
		ask("lifted", 10, { ...as(keys, "slow"), "x-embed-lane": "interactive" })]), untilQueued(gateway, 110));
	assert.deepEqual(await logged(gateway, /event=request .* key=slow .* texts=(\d+)/g, 2), ["10", "100"]);
}, { keys: [["quick"], ["slow", "--lane", "bulk"]] }));

test("the time to come back is never above a minute, and honest", () => withGateway(["--slots", "1", "--latency", "5s"],
	["--queue-tokens", "1000", "--max-in-flight", "1"], async ({ upstream, gateway }) => {
	const first = embed(gateway.base, { input: "the first one" }).catch(() => {});
	await untilWorking(upstream);
	const big = Array.from({ length: 100 }, (_, j) => `waiting ${j} `.repeat(20));
	const waiting = embed(gateway.base, { input: big }).catch(() => {});
	let refused;
	for (let i = 0; i < 200; i++) {
		const answer = await embed(gateway.base, { input: big.map((text) => `${i} ${text}`) }, { headers: { "x-stainless-timeout": "0.05" } });
		if (answer.status === 429) { refused = answer; break; }
	}
	const seconds = Number(refused.headers.get("retry-after"));
	assert.ok(seconds >= 1 && seconds <= 60, `${seconds}`);
	await gateway.stop("SIGKILL");
	await Promise.all([first, waiting]);
}));

test("keys are listed with their limits and never a secret, and expire", () => {
	const home = newHome();
	const keys = (...args) => run(["keys", "--home", home.path, ...args]);
	const secret = keys("add", "team", "--rpm", "60", "--tpm", "1000", "--budget", "5/month", "--models", "text-embedding-3-small", "--lane", "bulk", "--expires", "1h").out.trim();
	const { out } = keys("list");
	assert.match(out, /^team +60 +1000 5\.00\/month +bulk +1 +\d{4}-\d\d-\d\dT[\d:]+Z +\d{4}-\d\d-\d\dT[\d:]+Z +text-embedding-3-small$/m);
	assert.doesNotMatch(out, new RegExp(secret));
	home.remove();
});

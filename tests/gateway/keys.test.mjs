// SPDX-License-Identifier: MIT
// Keys: made, shown once, limited, rotated, revoked; changes reach a running gateway.
import assert from "node:assert/strict";
import { readFileSync, statSync, utimesSync, writeFileSync } from "node:fs";
import http from "node:http";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { embed, model, newHome, run, sleep, startEmulator, startGateway, withHeld } from "./harness.mjs";

let upstream, gateway, home;
const keys = (...args) => run(["keys", "--home", home.path, ...args]);
const add = (...args) => {
	const made = keys("add", ...args);
	assert.equal(made.code, 0, made.err);
	return made.out.trim();
};
const ask = (key, body = { input: "hello" }, options = {}) =>
	embed(gateway.base, body, { ...options, headers: { authorization: `Bearer ${key}`, ...options.headers } });

// A change of the file is taken up within about a second.
async function until(status, key, body) {
	for (;;) {
		const answer = await ask(key, body);
		if (answer.status === status) return answer;
	}
}

before(async () => {
	home = newHome();
	upstream = await startEmulator();
	add("first");
	gateway = await startGateway(upstream.base, home.path, "--log-level", "info", "--wrong-keys", "0");
});

after(async () => {
	await gateway.stop();
	await upstream.stop();
	home.remove();
});

test("a key is shown once, and only its digest is kept", () => {
	const secret = add("shown");
	const file = join(home.path, "keys");
	assert.match(secret, /^emb-[A-Za-z0-9_-]{43}$/);
	assert.doesNotMatch(readFileSync(file, "utf8"), new RegExp(secret));
	assert.equal(statSync(file).mode & 0o777, 0o600);
	assert.doesNotMatch(keys("list").out, new RegExp(secret));
	assert.match(keys("list").out, /^shown /m);
	assert.equal(keys("add", "shown").code, 2);
	assert.equal(keys("revoke", "nobody").code, 1);
	assert.equal(keys("add", "bad name").code, 2);
});

test("without a good key nothing is answered", async () => {
	const none = await embed(gateway.base, { input: "a" });
	assert.equal(none.status, 401);
	assert.match(none.json.error.message, /^You didn't provide an API key\./);
	const wrong = await ask("sk-this-is-not-a-key-at-all");
	assert.equal(wrong.status, 401);
	assert.equal(wrong.json.error.code, "invalid_api_key");
	assert.doesNotMatch(wrong.text, /this-is-not/);
	assert.equal((await fetch(`${gateway.base}/v1/models`)).status, 401);
	assert.equal((await fetch(`${gateway.base}/health`)).status, 200);
});

// Every run of `least` letters of a secret that the text holds.
const leaked = (text, secret, least) => Array.from({ length: secret.length - least + 1 },
	(_, i) => secret.slice(i, i + least)).filter((part) => text.includes(part));

test("a wrong key's answer and log line hold nothing of it but its ends, and of a short one nothing", async () => {
	const long = "sk-ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
	const wrong = await ask(long);
	assert.equal(wrong.status, 401);
	assert.match(wrong.json.error.message, /^Incorrect API key provided: sk-ABCD\*\*\*\*6789\./);
	for (const short of ["ZQXJ-WVKZ-QJ", "QJXZ-KWVQ-ZXJK-WQVZ", "XQ!"]) {
		for (const headers of [{ authorization: `Bearer ${short}` }, { "api-key": short }]) {
			const refused = await embed(gateway.base, { input: "a" }, { headers });
			assert.equal(refused.status, 401);
			assert.deepEqual(leaked(refused.text + JSON.stringify([...refused.headers]), short, 3), []);
		}
	}
	assert.deepEqual(leaked(gateway.log(), long, 8), []);
});

test("a key of any bytes is refused in good JSON", async () => {
	for (const odd of ['"}],{}\\"-{}-"quoted"-{}-\\and-more', "caf\u00e9\u00ff\u00fe\u00e9 ".repeat(8), "%s%n".repeat(10), "k".repeat(6000)]) {
		const refused = await ask(odd);
		assert.equal(refused.status, 401);
		assert.equal(refused.json.error.code, "invalid_api_key");
	}
	assert.equal((await embed(gateway.base, { input: "a" }, { headers: { authorization: "Basic dXNlcjpwYXNz" } })).status, 401);
});

test("a revoked key is answered as one that never was", async () => {
	const gone = add("gone");
	await until(200, gone);
	keys("revoke", "gone");
	const revoked = await until(401, gone);
	const unknown = await ask(gone.slice(0, 7) + "z".repeat(36) + gone.slice(-4));
	assert.equal(revoked.text, unknown.text);
	assert.doesNotMatch(revoked.text, /gone|revoked|upstream|first/);
});

test("a wrong key of the gateway's own is not shown to callers, nor is it their fault", async () => {
	const own = newHome();
	const strict = await startEmulator("--key", "sk-another-key-0123456789");
	const poor = await startGateway(strict.base, own.path, "--max-attempts", "1");
	try {
		const answer = await embed(poor.base, { input: "hello" });
		assert.equal(answer.status, 502);
		assert.equal(answer.headers.get("x-should-retry"), "false");
		assert.doesNotMatch(answer.text + JSON.stringify([...answer.headers]), /sk-|-key/);
	} finally {
		await poor.stop();
		await strict.stop();
		own.remove();
	}
});

test("adding, rotating and revoking reach the running gateway", async () => {
	const old = add("moving");
	await until(200, old);
	assert.equal((await embed(gateway.base, { input: "hello" }, { headers: { "api-key": old } })).status, 200);
	const fresh = keys("rotate", "moving", "--grace", "1h").out.trim();
	await until(200, fresh);
	assert.equal((await ask(old)).status, 200);
	const last = keys("rotate", "moving").out.trim();
	await until(200, last);
	assert.equal((await ask(old)).status, 401);
	assert.equal((await ask(fresh)).status, 401);
	assert.equal(keys("revoke", "moving").code, 0);
	await until(401, last);
});

test("a broken file leaves the keys that were read in force", async () => {
	const secret = add("steady");
	await until(200, secret);
	const { appendFileSync } = await import("node:fs");
	const file = join(home.path, "keys");
	const good = readFileSync(file);
	appendFileSync(file, "name=x digest=zz\n");
	await gateway.until(/event=keys_not_read/);
	assert.equal((await ask(secret)).status, 200);
	writeFileSync(file, good);
});

test("an expired key is no key", async () => {
	const secret = add("brief", "--expires", "3s");
	await until(200, secret);
	await until(401, secret);
});

test("a key's models are all that it sees", async () => {
	const secret = add("narrow", "--models", "text-embedding-3-large");
	await until(200, secret, { model: "text-embedding-3-large", input: "hello" });
	assert.equal((await ask(secret)).status, 404);
	const list = await (await fetch(`${gateway.base}/v1/models`, { headers: { authorization: `Bearer ${secret}` } })).json();
	assert.deepEqual(list.data.map((entry) => entry.id), ["text-embedding-3-large"]);
});

test("requests a minute are counted, told and refused", async () => {
	const secret = add("counted", "--rpm", "3");
	const first = await until(200, secret);
	assert.equal(first.headers.get("x-ratelimit-limit-requests"), "3");
	assert.equal(first.headers.get("x-ratelimit-remaining-requests"), "2");
	assert.match(first.headers.get("x-ratelimit-reset-requests"), /^(20|1\d\.\d+)s$/);
	assert.equal((await ask(secret)).status, 200);
	assert.equal((await ask(secret)).status, 200);
	const refused = await ask(secret);
	assert.equal(refused.status, 429);
	assert.equal(refused.json.error.type, "requests");
	assert.equal(refused.json.error.code, "rate_limit_exceeded");
	assert.ok(Number(refused.headers.get("retry-after")) >= 15);
});

test("tokens a minute are counted by what was asked", async () => {
	const secret = add("weighed", "--tpm", "1000");
	const { headers } = await until(200, secret);
	assert.equal(headers.get("x-ratelimit-limit-tokens"), "1000");
	assert.equal(headers.get("x-ratelimit-remaining-tokens"), "998"); // "hello": 5 bytes
	assert.match(headers.get("x-ratelimit-reset-tokens"), /^1\d\dms$/); // two of 1000 a minute
	assert.equal(headers.get("x-ratelimit-limit-requests"), null); // no limit
	assert.equal((await ask(secret, { input: "word ".repeat(500) })).status, 200);
	const refused = await ask(secret, { input: "word ".repeat(500) });
	assert.ok(Number(refused.headers.get("retry-after")) >= 1 && Number(refused.headers.get("retry-after")) <= 60);
	assert.equal(refused.status, 429);
	assert.equal(refused.json.error.type, "tokens");
	const never = await ask(secret, { input: "word ".repeat(2000) });
	assert.equal(never.status, 429);
	assert.match(never.json.error.message, /^Request too large/);
	assert.equal(never.headers.get("retry-after"), null);
});

test("a spent budget answers as OpenAI does; hits are still free", async () => {
	const secret = add("thrifty", "--budget", "0.000002/month"); // 100 tokens of 3-small
	await until(200, secret, { input: "hello" });
	const paid = await ask(secret, { input: "one two three ".repeat(25) });
	assert.equal(paid.status, 200);
	const refused = await ask(secret, { input: "four five six ".repeat(25) });
	assert.equal(refused.status, 429);
	assert.equal(refused.json.error.code, "insufficient_quota");
	assert.equal(refused.headers.get("x-should-retry"), "false");
	assert.equal((await until(200, secret, { input: "hello" })).status, 200);
});

test("who hangs up on what is under way has spent it, as far as the budget goes", async () => {
	const secret = add("hasty", "--budget", "0.000002/month"); // 100 tokens of 3-small
	await until(200, secret, { input: "hello" });
	const cancelled = async () => {
		const text = await (await fetch(`${gateway.base}/metrics`)).text();
		return Number(text.match(/^embed_errors_total\{[^}]*"cancelled"\} (\d+)$/m)[1]);
	};
	const before = await cancelled();
	const hangUp = new AbortController();
	const { asked, letGo } = await withHeld({ upstream, gateway }, () =>
		ask(secret, { input: "seven eight nine ".repeat(25) }, { signal: hangUp.signal }));
	hangUp.abort();
	await assert.rejects(asked);
	while (await cancelled() === before);
	await sleep(100); // the gateway's own part comes after it
	const again = ask(secret, { input: "ten eleven twelve ".repeat(25) });
	letGo();
	assert.equal((await again).json.error?.code, "insufficient_quota");
});

test("a partitioned key shares no vector", async () => {
	const [apart, other] = [add("apart", "--partition"), add("other")];
	await until(200, other);
	await until(200, apart);
	for (const [first, second, input] of [[apart, other, "private text"], [other, apart, "shared text"]]) {
		assert.equal((await ask(first, { input })).headers.get("x-embed-sent"), "1");
		while ((await ask(first, { input })).headers.get("x-embed-cache") !== "hit");
		assert.equal((await ask(second, { input })).headers.get("x-embed-sent"), "1");
	}
});

test("no secret is in the log or in the metrics", async () => {
	const secret = add("quiet");
	await until(200, secret);
	const metrics = await (await fetch(`${gateway.base}/metrics`)).text();
	while (!gateway.log().includes("key=quiet")) { // of a flood before it lines may have been left out
		await ask(secret, { input: "asked quietly" });
		await sleep(100);
	}
	for (const text of [gateway.log(), metrics])
		assert.doesNotMatch(text, /emb-[A-Za-z0-9_-]{43}|sk-upstream-key/);
});

test("pass-through carries the caller's own key, and stores for it alone", async () => {
	const own = newHome();
	const strict = await startEmulator("--key", "sk-alice-0123456789,sk-bob-0123456789");
	const open = await startGateway(strict.base, own.path, "--pass-through");
	const as = (key, input) => embed(open.base, { input }, { headers: { authorization: `Bearer ${key}` } });
	try {
		assert.equal((await as("sk-alice-0123456789", "mine")).status, 200);
		assert.equal((await as("sk-bob-0123456789", "mine")).headers.get("x-embed-sent"), "1");
		const stranger = await as("sk-mallory-0123456789", "mine");
		assert.equal(stranger.status, 401);
		assert.equal((await embed(open.base, { input: "mine" })).status, 401);
		const { keys: billed } = await strict.stats();
		assert.equal(billed["sk-alice-0123456789"].texts, 1);
		assert.equal(billed["sk-bob-0123456789"].texts, 1);
	} finally {
		await open.stop();
		await strict.stop();
		own.remove();
	}
});

test("SIGHUP reads the keys again under load and drops no request", { timeout: 20000 }, async () => {
	const own = newHome();
	const file = join(own.path, "keys");
	const made = (name) => run(["keys", "--home", own.path, "add", name]).out.trim();
	const steady = made("steady");
	const without = readFileSync(file);
	const leaving = made("leaving");
	const whole = readFileSync(file);
	// In place and with the same date, so that only being told makes the gateway look.
	const replace = (bytes) => { writeFileSync(file, bytes); utimesSync(file, 1e9, 1e9); };
	replace(whole);
	const busy = await startGateway(upstream.base, own.path, "--wrong-keys", "0");
	const agent = new http.Agent({ keepAlive: true, maxSockets: 4 });
	const ports = new Set();
	const load = (key, i) => new Promise((resolve, reject) => {
		const request = http.request(`${busy.base}/v1/embeddings`,
			{ method: "POST", agent, headers: { authorization: `Bearer ${key}` } }, (response) => {
				ports.add(response.socket.localPort);
				response.resume();
				response.on("end", () => resolve(response.statusCode));
			});
		request.on("error", reject);
		request.end(JSON.stringify({ model, input: `reload ${i % 100}`, dimensions: 8 }));
	});
	let asked = 0, isOver = false;
	try {
		const loops = Array.from({ length: 4 }, async () => {
			while (!isOver) assert.equal(await load(steady, asked++), 200);
		});
		const untilAnswered = async (status) => {
			while ((await embed(busy.base, { input: "a" }, { headers: { authorization: `Bearer ${leaving}` } })).status !== status);
		};
		const changes = (async () => {
			for (let round = 0; round < 5; round++) {
				await untilAnswered(200);
				replace(without);
				busy.child.kill("SIGHUP");
				await untilAnswered(401);
				replace(whole);
				busy.child.kill("SIGHUP");
			}
		})().finally(() => { isOver = true; });
		await Promise.all([changes, ...loops]);
		assert.equal(ports.size, 4, "connections were closed");
	} finally {
		isOver = true;
		agent.destroy();
		await busy.stop("SIGKILL");
		own.remove();
	}
});

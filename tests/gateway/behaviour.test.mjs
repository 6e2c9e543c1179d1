// SPDX-License-Identifier: MIT
// What happens between callers: shared flights, going away, gathering, admission, deadlines, drain.
import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import http from "node:http";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import {
	embed, embedUntilHit, metric, model, newHome, run, sleep, startEmulator, untilQueued, untilWorking, whileHeld, withGateway, withHeld,
} from "./harness.mjs";

test("equal texts of many clients go up once", () => withGateway(["--latency", "50ms"], [], async ({ upstream, gateway }) => {
	const answers = await Promise.all(Array.from({ length: 60 }, () => embed(gateway.base, { input: ["one", "two"] })));
	for (const answer of answers) {
		assert.equal(answer.status, 200);
		assert.deepEqual(answer.json.data, answers[0].json.data);
	}
	assert.equal((await upstream.stats()).texts, 2);
}));

test("a client that goes away cancels its own wait only", () => withGateway([], [], async (setting) => {
	const { upstream, gateway } = setting;
	const leaving = new AbortController();
	const shared = await withHeld(setting, () => embed(gateway.base, { input: "shared" }, { signal: leaving.signal }));
	const own = await withHeld(setting, () => embed(gateway.base, { input: ["shared", "own"] }), 2);
	leaving.abort();
	await assert.rejects(shared.asked);
	own.letGo();
	assert.equal((await own.asked).status, 200);
	assert.equal((await upstream.stats()).texts, 2);
	while (!/answer="gone"\} 1/.test(await (await fetch(`${gateway.base}/metrics`)).text())); // its worker hears of it by itself
}));

test("a deployment in the path stays the caller's own while a long body comes in beside others' heads", () => withGateway([], [], async ({ gateway }) => {
	const { port } = new URL(gateway.base);
	const head = (deployment, length) => `POST /openai/deployments/${deployment}/embeddings HTTP/1.1\r\nHost: localhost\r\n` +
		`Connection: close\r\nContent-Length: ${length}\r\n\r\n`;
	const body = JSON.stringify({ input: "long ".repeat(7000), dimensions: 8 });
	const open = async (text) => {
		const socket = net.connect(port, "127.0.0.1");
		await new Promise((resolve) => socket.write(text, resolve));
		return socket;
	};
	const slow = await open(head("text-embedding-3-small", body.length) + body.slice(0, -1));
	await sleep(100); // its bytes have outgrown their first buffer, which others may have now
	const others = await Promise.all(Array.from({ length: 16 }, () => open(head("text-embedding-3-large", 9))));
	await sleep(100);
	slow.write(body.slice(-1));
	let answer = "";
	for await (const piece of slow.setEncoding("utf8")) answer += piece;
	assert.match(answer, /"model":"text-embedding-3-small"/);
	for (const other of others) other.destroy();
}));

test("what a gone client had sent upstream is stored all the same", () => withGateway([], [], async (setting) => {
	const { upstream, gateway } = setting;
	const leaving = new AbortController();
	const left = await withHeld(setting, () => embed(gateway.base, { input: "left behind" }, { signal: leaving.signal }));
	leaving.abort();
	await assert.rejects(left.asked);
	left.letGo();
	assert.equal((await embedUntilHit(gateway.base, { input: "left behind" })).status, 200);
	assert.equal((await upstream.stats()).texts, 1);
}));

test("single texts are gathered into batches while upstream is busy", () => withGateway([], ["--max-in-flight", "1"], async (setting) => {
	const { upstream, gateway } = setting;
	const agent = new http.Agent({ keepAlive: true, maxSockets: 1000 });
	const ask = (i) => new Promise((resolve, reject) => {
		const request = http.request(`${gateway.base}/v1/embeddings`, { method: "POST", agent }, (response) => {
			response.resume();
			response.on("end", () => resolve(response.statusCode));
		});
		request.on("error", reject);
		request.end(JSON.stringify({ model, input: `gathered ${i}`, dimensions: 8 }));
	});
	const statuses = await whileHeld(setting, () => ask("first"), () => Promise.all(Array.from({ length: 999 }, (_, i) => ask(i))),
		untilQueued(gateway, 999));
	agent.destroy();
	assert.ok(statuses.every((status) => status === 200));
	const { texts, embeddings_requests } = await upstream.stats();
	assert.equal(texts, 1000);
	assert.ok(texts / embeddings_requests >= 25, `${texts / embeddings_requests} texts a request`);
}));

test("past the queue's cap callers are told when to come back, before their texts are held", () => withGateway([],
	["--queue-tokens", "2000", "--max-in-flight", "1"], async (setting) => {
	const { gateway } = setting;
	const big = (i) => embed(gateway.base, { input: Array.from({ length: 100 }, (_, j) => `waiting ${i} ${j} `.repeat(10)), dimensions: 8 });
	let answered = 0;
	// The first of them fills the queue; another may slip in while a worker looks how full it is.
	const answers = await whileHeld(setting, () => embed(gateway.base, { input: "the first one" }),
		() => Promise.all(Array.from({ length: 40 }, (_, i) => big(i).finally(() => { answered++; }))), async () => {
			assert.ok(await metric(gateway, "embed_queued_tokens") < 10 * 4200);
			return answered >= 30;
		});
	const refused = answers.filter(({ status }) => status === 429);
	assert.ok(refused.length >= 30, `${refused.length} of 40 refused`);
	assert.ok(answers.every(({ status }) => status === 200 || status === 429));
	for (const answer of refused) {
		const seconds = Number(answer.headers.get("retry-after"));
		assert.ok(seconds >= 1 && seconds <= 60);
		assert.equal(answer.json.error.code, "rate_limit_exceeded");
	}
}));

test("the caller's SDK says how long it waits", () => withGateway(["--latency", "20s"], [], async ({ gateway }) => {
	const before = Date.now();
	const answer = await embed(gateway.base, { input: "slow" }, { headers: { "x-stainless-timeout": "0.2" } });
	assert.equal(answer.status, 504);
	assert.equal(answer.json.error.code, "deadline_exceeded");
	assert.ok(Date.now() - before < 10000);
}));

test("a wait that makes no sense is none", () => withGateway(["--latency", "100ms"], [], async ({ gateway }) => {
	const odd = ["", "0", "-1", "0x1p-9", "1e-3", "nan", "inf", "1e308", "9".repeat(400), "0,001", "0.001 0.001", "\u00e9"];
	await Promise.all(odd.map(async (wait, i) => {
		const answer = await embed(gateway.base, { input: `patient ${i}` }, { headers: { "x-stainless-timeout": wait } });
		assert.equal(answer.status, 200, `"${wait}": ${answer.text}`);
	}));
}));

test("upstream's refusals reach the caller as what they are", () => withGateway([], ["--max-attempts", "1"], async ({ upstream, gateway }) => {
	await upstream.faults("no_quota@next=1");
	const quota = await embed(gateway.base, { input: "no money" });
	assert.equal(quota.status, 429);
	assert.equal(quota.json.error.code, "insufficient_quota");
	assert.equal(quota.headers.get("retry-after"), null);
	assert.equal(quota.headers.get("x-should-retry"), "false");
}));

test("what upstream asks to wait is what callers are told, and none when that is too long for a retry", async () => {
	for (const [wait, told] of [["30", "30"], ["100", "60"], ["86400", null]])
		await withGateway([], ["--max-attempts", "1"], async ({ upstream, gateway }) => {
			await upstream.faults(`rate_tokens@next=1@retry-after=${wait}`);
			const refused = await embed(gateway.base, { input: "too soon" });
			assert.equal(refused.status, 429);
			assert.equal(refused.json.error.code, "rate_limit_exceeded");
			assert.equal(refused.headers.get("retry-after"), told, wait);
			assert.equal(refused.headers.get("x-should-retry"), told ? null : "false");
		});
});

test("past --queue-wait callers are turned away, also when nothing moves at all", () => withGateway(["--latency", "60s", "--slots", "1"],
	["--queue-wait", "300ms", "--max-in-flight", "1"], async ({ upstream, gateway }) => {
	const underWay = assert.rejects(embed(gateway.base, { input: "under way" }));
	await untilWorking(upstream);
	const behind = assert.rejects(embed(gateway.base, { input: "behind it" }));
	let refused;
	for (let i = 0; !refused; i++) {
		const answer = await embed(gateway.base, { input: `newcomer ${i}` }, { headers: { "x-stainless-timeout": "0.05" } });
		if (answer.status === 429) refused = answer;
		else assert.equal(answer.status, 504);
	}
	const seconds = Number(refused.headers.get("retry-after"));
	assert.ok(seconds >= 1 && seconds <= 60, `${seconds}`);
	assert.equal(refused.json.error.code, "rate_limit_exceeded");
	await gateway.stop("SIGKILL");
	await Promise.all([underWay, behind]);
}));

test("SIGTERM lets what runs finish and refuses newcomers", () => withGateway([], [], async (setting) => {
	const { gateway } = setting;
	const running = await withHeld(setting, () => embed(gateway.base, { input: "running" }));
	const ended = gateway.stop();
	while (await fetch(`${gateway.base}/health`).then(() => true, () => false)); // it drains: nobody is let in
	running.letGo();
	const answer = await running.asked;
	assert.equal(answer.status, 200);
	assert.equal(answer.headers.get("connection"), "close");
	assert.equal(await ended, 0);
	await assert.rejects(fetch(`${gateway.base}/health`));
}));

test("it will not listen for others without a key", async () => {
	const home = newHome();
	const refused = run(["serve", "--home", home.path, "--listen", "0.0.0.0:0", "--base-url", "http://127.0.0.1:9/v1"]);
	assert.equal(refused.code, 2);
	assert.match(refused.err, /embed keys add/);
	home.remove();
});

test("serves on a Unix socket, and beside it on TCP", async () => {
	const folder = mkdtempSync(join(tmpdir(), "embed-unix-"));
	const path = join(folder, "socket");
	await withGateway([], ["--listen", `unix:${path}`], async ({ gateway }) => {
		await gateway.until(new RegExp(`serving on unix:${path}`));
		const request = http.request({ socketPath: path, path: "/v1/embeddings", method: "POST", headers: { host: "embed" } });
		request.end(JSON.stringify({ model, input: "through a file" }));
		const [response] = await once(request, "response");
		assert.equal(response.statusCode, 200);
		response.resume();
		assert.equal((await embed(gateway.base, { input: "through a port" })).status, 200);
		await gateway.stop();
		assert.equal(existsSync(path), false);
	});
	rmSync(folder, { recursive: true });
});

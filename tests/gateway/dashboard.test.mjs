// SPDX-License-Identifier: MIT
// What the dashboard's page and `embed top` stand on: snapshot, history, the stream, and who may read them.
import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import http from "node:http";
import net from "node:net";
import { gunzipSync } from "node:zlib";
import { test } from "node:test";
import { binary, embed, run, sleep, start, withGateway } from "./harness.mjs";

const get = (base, path, headers = {}) => new Promise((resolve, reject) => {
	http.get(base + path, { headers, agent: false }, async (response) => {
		const parts = [];
		for await (const part of response) parts.push(part);
		resolve({ status: response.statusCode, headers: response.headers, body: Buffer.concat(parts) });
	}).on("error", reject);
});
const snapshotOf = async (base, headers) => JSON.parse((await get(base, "/dashboard/snapshot", headers)).body);

// Snapshots until one is as wanted.
async function untilSnapshot(base, is_wanted) {
	for (let i = 0; i < 200; i++) {
		const snapshot = await snapshotOf(base);
		if (is_wanted(snapshot)) return snapshot;
		await sleep(50);
	}
	throw new Error("no such snapshot");
}

// A viewer: collects what comes.
async function view(base, headers = {}) {
	const request = http.get(`${base}/dashboard/events`, { headers, agent: false });
	const [response] = await once(request, "response");
	const viewer = { status: response.statusCode, headers: response.headers, text: "", is_over: false, cut: () => request.destroy() };
	response.setEncoding("utf8");
	response.on("data", (data) => { viewer.text += data; });
	response.on("error", () => {});
	viewer.ended = once(response, "end").then(() => { viewer.is_over = true; }, () => {});
	viewer.ids = () => [...viewer.text.matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id));
	viewer.until = async (count) => {
		while (viewer.ids().length < count) await sleep(20);
	};
	return viewer;
}

test("snapshot, history, ledger and embed top say the same", () => withGateway([], [], async ({ upstream, gateway, home }) => {
	const startMinute = Math.floor(Date.now() / 60000);
	for (let i = 0; i < 5; i++) assert.equal((await embed(gateway.base, { input: [`a ${i}`, `b ${i}`] })).status, 200);
	const billed = (await upstream.stats()).tokens;
	const snapshot = await untilSnapshot(gateway.base, ({ usage }) => usage.today.billed_tokens === billed);
	assert.equal(snapshot.stats.billed_tokens, billed);
	assert.equal(snapshot.usage.month.cost_nano, snapshot.stats.cost_nano);
	assert.deepEqual(snapshot.keys.map(({ name, is_known, today }) => [name, is_known, today.billed_texts]), [["", false, 10]]);
	assert.equal(snapshot.gateway.answers["2xx"] >= 5, true);
	const seconds = JSON.parse((await get(gateway.base, "/dashboard/history?span=15m")).body);
	assert.equal(seconds.step_s, 1);
	assert.equal(seconds.texts.reduce((sum, value) => sum + value, 0), 10);
	assert.equal(seconds.billed_tokens.reduce((sum, value) => sum + value, 0), billed);
	const days = JSON.parse((await get(gateway.base, "/dashboard/history?span=90d")).body);
	assert.equal(days.billed_tokens.at(-1), billed);
	const minutes = JSON.parse((await get(gateway.base, "/dashboard/history?span=24h")).body).time;
	assert.ok(minutes.length <= Math.floor(Date.now() / 60000) - startMinute, "only minutes that are over");
	assert.equal((await get(gateway.base, "/dashboard/history?span=1y")).status, 400);
	const json = run(["top", "--home", home, "--url", gateway.base, "--once", "--format", "json"]);
	assert.equal(json.code, 0, json.err);
	const top = JSON.parse(json.out);
	assert.ok(top.sequence >= snapshot.sequence);
	assert.deepEqual([top.stats, top.usage.today, top.keys], [snapshot.stats, snapshot.usage.today, snapshot.keys]);
	const table = run(["top", "--home", home, "--url", gateway.base]);
	assert.equal(table.code, 0, table.err);
	assert.match(table.out, new RegExp(`store +${snapshot.stats.store_records} records`));
	assert.match(table.out, /\(no key\) +10 +\d+ /);
}));

test("each viewer is sent the same bytes, once a second, and the newest at once", () => withGateway([], ["--workers", "2"], async ({ gateway }) => {
	const viewers = await Promise.all(Array.from({ length: 6 }, () => view(gateway.base)));
	await Promise.all(viewers.map((viewer) => viewer.until(3)));
	for (const { status, headers, text, ids } of viewers) {
		assert.equal(status, 200);
		assert.equal(headers["content-type"], "text/event-stream");
		assert.equal(headers["cache-control"], "no-store");
		assert.match(text, /^retry: 1000\n\nid: \d+\ndata: \{/);
		const seen = ids();
		seen.slice(1).forEach((id, i) => assert.equal(id, seen[i] + 1));
	}
	const eventOf = (viewer, id) => viewer.text.match(new RegExp(`^id: ${id}\ndata: .*\n\n`, "m"))[0];
	const shared = viewers[0].ids()[1];
	const events = viewers.filter((viewer) => viewer.ids().includes(shared)).map((viewer) => eventOf(viewer, shared));
	assert.ok(events.length > 1);
	for (const event of events) assert.equal(event, events[0]);
	assert.equal(JSON.parse(events[0].split("\ndata: ")[1]).sequence, shared);
	viewers.forEach((viewer) => viewer.cut());
}));

test("who comes back is not sent again what it has", () => withGateway([], [], async ({ gateway }) => {
	const { sequence } = await snapshotOf(gateway.base);
	const viewer = await view(gateway.base, { "last-event-id": String(sequence) });
	await viewer.until(1);
	assert.notEqual(viewer.ids()[0], sequence);
	viewer.cut();
}));

test("a viewer that never reads holds nobody up, and a drain ends the stream", () => withGateway([], ["--workers", "1"], async ({ gateway }) => {
	const { hostname, port } = new URL(gateway.base);
	const deaf = net.connect({ host: hostname, port: Number(port) });
	deaf.on("error", () => {});
	deaf.pause();
	deaf.write("GET /dashboard/events HTTP/1.1\r\nhost: localhost\r\n\r\n");
	const viewer = await view(gateway.base);
	await viewer.until(2);
	assert.equal((await embed(gateway.base, { input: "while it sleeps" })).status, 200);
	const began = Date.now();
	deaf.resume();
	const code = await gateway.stop();
	assert.equal(code, 0);
	assert.ok(Date.now() - began < 10000);
	await viewer.ended;
	assert.ok(viewer.text.endsWith("\n\n"));
	deaf.destroy();
}));

test("nearness opens it only to who speaks for this machine", () => withGateway([], [], async ({ gateway, keys }) => {
	const { host, port } = new URL(gateway.base);
	const refused = [{ host: "rebound.example" }, { host: `127.0.0.1.evil.example:${port}` }, { host: "localhost.evil.example" },
		{ origin: "http://evil.example" }, { origin: `https://${host}` }, { origin: "null" }, { "sec-fetch-site": "cross-site" },
		{ "sec-fetch-site": "same-site" }, { "x-forwarded-for": "192.0.2.1" }, { forwarded: "for=192.0.2.1" }, { via: "1.1 proxy" }];
	for (const path of ["/dashboard/snapshot", "/dashboard/history", "/dashboard/events", "/metrics"])
		for (const headers of refused)
			assert.equal((await get(gateway.base, path, headers)).status, 401, `${path} ${JSON.stringify(headers)}`);
	for (const headers of [{}, { host: `localhost:${port}` }, { host: "127.9.9.9" }, { host: "[::1]:80" },
		{ origin: `http://${host}`, "sec-fetch-site": "same-origin" }, { "sec-fetch-site": "none" }])
		assert.equal((await get(gateway.base, "/dashboard/snapshot", headers)).status, 200, JSON.stringify(headers));
	const far = { "x-forwarded-for": "192.0.2.1" };
	assert.equal((await get(gateway.base, "/dashboard/snapshot", { ...far, authorization: `Bearer ${keys.ops}` })).status, 200);
	assert.equal((await get(gateway.base, "/dashboard/snapshot", { ...far, authorization: `Bearer ${keys.user}` })).status, 403);
	const { body } = await get(gateway.base, "/dashboard/snapshot");
	for (const secret of Object.values(keys)) assert.ok(!body.includes(secret));
}, { keys: [["ops", "--admin"], ["user"]] }));

test("the page's files are small, cacheable and locked in", () => withGateway([], [], async ({ gateway }) => {
	const page = await get(gateway.base, "/", { host: "any.example" });
	assert.equal(page.status, 200);
	assert.match(page.headers["content-type"], /^text\/html/);
	assert.match(page.headers["content-security-policy"], /^default-src 'none'; script-src 'self';.*frame-ancestors 'none'$/);
	assert.doesNotMatch(page.headers["content-security-policy"], /unsafe|\*|data:|http/);
	assert.equal(page.headers["x-content-type-options"], "nosniff");
	assert.doesNotMatch(page.body.toString(), /<style|<script>| style=| on[a-z]+=/);
	const names = [...page.body.toString().matchAll(/"(\/dashboard\/page\/[a-z.]+)"/g)].map(([, name]) => name);
	assert.ok(names.length >= 4);
	for (const name of names) {
		const plain = await get(gateway.base, name);
		const packed = await get(gateway.base, name, { "accept-encoding": "br, gzip" });
		assert.equal(plain.status, 200, name);
		assert.equal(packed.headers["content-encoding"], "gzip");
		assert.deepEqual(gunzipSync(packed.body), plain.body);
		assert.equal((await get(gateway.base, name, { "if-none-match": plain.headers.etag })).status, 304);
		assert.equal((await get(gateway.base, name, { "accept-encoding": "gzip;q=0" })).headers["content-encoding"], undefined);
	}
	assert.equal((await get(gateway.base, "/dashboard/page/pack")).status, 404);
}));

test("embed top says what is wrong and what to do", () => withGateway([], [], async ({ gateway }) => {
	const nobody = run(["top", "--once", "--url", "http://127.0.0.1:1"]);
	assert.equal(nobody.code, 1);
	assert.match(nobody.err, /is "embed serve" running/);
	const other = run(["top", "--once", "--url", `${gateway.base}/no/such`]);
	assert.equal(other.code, 1);
	assert.match(other.err, /no "embed serve"/);
	assert.equal(run(["top", "extra"]).code, 2);
}));

test("embed top ends when its terminal goes away", () => withGateway([], [], async ({ gateway }) => {
	const terminal = start(["-qec", `exec ${binary} top --url ${gateway.base}`, "/dev/null"],
		{ command: "script", env: { TERM: "xterm" }, stdin: "pipe" });
	await terminal.until(/texts/i);
	const top = readFileSync(`/proc/${terminal.child.pid}/task/${terminal.child.pid}/children`, "utf8").trim();
	assert.match(readFileSync(`/proc/${top}/cmdline`, "utf8"), /embed\0top/);
	await terminal.stop("SIGKILL");
	for (let i = 0; i < 100 && existsSync(`/proc/${top}`); i++) await sleep(50);
	const isThere = existsSync(`/proc/${top}`);
	if (isThere) process.kill(Number(top), "SIGKILL");
	assert.ok(!isThere, "it goes on without a terminal");
}));

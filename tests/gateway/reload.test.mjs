// SPDX-License-Identifier: MIT
// SIGHUP: options are read again; what a running gateway can take it takes, the rest it names.
import assert from "node:assert/strict";
import { chmodSync, writeFileSync } from "node:fs";
import http from "node:http";
import { once } from "node:events";
import { join } from "node:path";
import { test } from "node:test";
import { embed, newHome, start, startEmulator } from "./harness.mjs";

// A gateway whose options are a file.  `change` writes another and waits until what the log then says is there.
async function withFile(settings, body, upstreamArgs = []) {
	const home = newHome();
	const upstream = await startEmulator(...upstreamArgs);
	const file = join(home.path, "embed.conf");
	const write = (name, text) => {
		writeFileSync(join(home.path, name), text);
		chmodSync(join(home.path, name), 0o600);
	};
	const whole = (text) => `base_url = ${upstream.base}/v1\napi_key_file = ${home.path}/upstream-key\n${text.includes("log_level") ? "" : "log_level = info\n"}${text}`;
	write("upstream-key", "sk-old-0123456789\n");
	write("embed.conf", whole(settings));
	const gateway = start(["serve", "--config", file, "--home", home.path, "--listen", "127.0.0.1:0"], { env: { OPENAI_API_KEY: "" } });
	const [, base] = await gateway.until(/serving on (http:\/\/\S+)\/v1/);
	// The keys are read last, so then all is in force.
	const reload = async () => {
		const before = gateway.output.length;
		gateway.child.kill("SIGHUP");
		await gateway.until(new RegExp(`^[^]{${before}}[^]*event=keys_read`));
		return gateway.output.slice(before);
	};
	const change = (text) => { write("embed.conf", whole(text)); return reload(); };
	try {
		await body({ base, gateway, upstream, home: home.path, write, reload, change });
	} finally {
		await gateway.stop("SIGKILL");
		await upstream.stop("SIGKILL");
		home.remove();
	}
}

const ask = (base, input, headers = {}) => embed(base, { input, dimensions: 8 }, { headers });

test("the log's level, and with it the access log, follows", () => withFile("", async ({ base, gateway, change }) => {
	const look = (name) => fetch(`${base}/v1/models/${name}`);
	await look("logged-first");
	change("log_level = error\n[serve]\nmax_texts = 2\n").catch(() => {}); // the log does not tell of it
	while ((await ask(base, ["a", "b", "c"])).status === 200);
	await look("unlogged");
	await change("");
	await look("logged-last");
	await gateway.until(/path=\/v1\/models\/logged-last/);
	assert.match(gateway.output, /path=\/v1\/models\/logged-first/);
	assert.doesNotMatch(gateway.output, /unlogged/);
}));

test("a price that changed is what the next text costs, and its budget is charged by it", () => withFile("", async ({ base, change }) => {
	const cost = async (text) => Number((await ask(base, text)).headers.get("x-embed-cost-nano"));
	assert.equal(await cost("one"), 20);
	assert.match(await change("[prices]\ntext-embedding-3-small = 0.5\n"), /event=setting_changed name=\[prices\]/);
	assert.equal(await cost("two"), 500);
	assert.match(await change(""), /event=setting_changed name=\[prices\]/);
	assert.equal(await cost("three"), 20);
}));

test("deadlines, origins, caps and what becomes of unknown fields follow", () => withFile("", async ({ base, change }) => {
	const page = "https://app.example";
	const origin = async () => {
		const request = http.request(`${base}/v1/models`, { headers: { origin: page }, agent: false }).end();
		const [response] = await once(request, "response");
		response.resume();
		return response.headers["access-control-allow-origin"];
	};
	assert.equal(await origin(), undefined);
	assert.equal((await embed(base, { input: "a", later: 1 })).status, 200);
	const log = await change(`[serve]\ncors_origin = ${page}\nrequest_timeout = 20ms\nunknown_fields = refuse\nmax_texts = 2\n`);
	for (const name of ["cors_origin", "request_timeout", "unknown_fields", "max_texts"])
		assert.match(log, new RegExp(`event=setting_changed name=${name}\n`));
	assert.equal(await origin(), page);
	assert.equal((await embed(base, { input: "b", later: 1 })).status, 400);
	assert.match((await ask(base, ["a", "b", "c"])).json.error.message, /array length must be 2 or less/);
	assert.equal((await ask(base, "late")).json.error.code, "deadline_exceeded");
}, ["--latency", "300ms"]));

test("an upstream key that was replaced in its file is used at once", () => withFile("", async ({ base, write, reload }) => {
	assert.equal((await ask(base, "with the old key")).status, 502);
	write("upstream-key", "sk-new-0123456789\n");
	await reload();
	assert.equal((await ask(base, "with the new key")).status, 200);
}, ["--key", "sk-new-0123456789"]));

test("limits of upstream requests follow", () => withFile("", async ({ base, change }) => {
	await change("requests_per_minute = 1\n");
	assert.equal((await ask(base, "the one of this minute")).status, 200);
	assert.equal((await ask(base, "one too many", { "x-stainless-timeout": "0.2" })).status, 504);
	await change("requests_per_minute = 6000\n");
	assert.equal((await ask(base, "one of many")).status, 200);
}));

test("what cannot change is named, stays as it was, and keeps nothing else from changing", () => withFile("[upstream one]\nbase_url = http://127.0.0.1:9/v1\n[serve]\nworkers = 1\n",
	async ({ base, change }) => {
	const log = await change("store_size = 1G\n[upstream one]\nbase_url = http://127.0.0.1:10/v1\n[serve]\nworkers = 2\nmax_texts = 2\n");
	for (const name of ["workers", "store_size", '"\\[upstream one\\] base_url"'])
		assert.match(log, new RegExp(`warn event=setting_needs_restart name=${name} do="[^"]*needs a restart`));
	assert.match(log, /event=setting_changed name=max_texts/);
	assert.match((await ask(base, ["a", "b", "c"])).json.error.message, /array length must be 2 or less/);
	assert.match(await change("store_size = 1G\n"), /setting_needs_restart name="?\[upstream one\]/);
}));

test("a file with a mistake leaves everything as it was", () => withFile("[serve]\nmax_texts = 2\n", async ({ base, change }) => {
	const log = await change("[serve]\nmax_texts = many\n");
	assert.match(log, /error event=settings_not_read why="[^"]*embed\.conf:\d+: max_texts/);
	assert.match((await ask(base, ["a", "b", "c"])).json.error.message, /array length must be 2 or less/);
	assert.match(await change("[serve]\nmax_texts = 3\n"), /setting_changed name=max_texts/);
	assert.equal((await ask(base, ["a", "b", "c"])).status, 200);
}));

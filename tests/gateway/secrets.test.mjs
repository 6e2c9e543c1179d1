// SPDX-License-Identifier: MIT
// Keys show up nowhere: not in the process list, log, errors, metrics or dashboard, and the suite's own search finds a planted one.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { embed, newHome, run, start, startEmulator, upstreamKey } from "./harness.mjs";

const paths = ["/metrics", "/dashboard", "/dashboard/", "/dashboard/now", "/dashboard/history", "/dashboard/events", "/health", "/ready",
	"/v1/models", "/v1/nothing", "/"];

// A page of the dashboard may be a stream that does not end: what comes in a second will do.
async function read(url, headers) {
	const response = await fetch(url, { headers, signal: AbortSignal.timeout(5000) }).catch(() => undefined);
	let text = "";
	const stop = setTimeout(() => response?.body?.cancel().catch(() => {}), 1000);
	try {
		for await (const part of response?.body ?? []) text += Buffer.from(part).toString("latin1");
	} catch { /* cut */ }
	clearTimeout(stop);
	return `${JSON.stringify([...(response?.headers ?? [])])}${text}`;
}

test("the upstream's and callers' keys are in nothing that the gateway says at its most talkative", async () => {
	const home = newHome();
	const caller = run(["keys", "--home", home.path, "add", "ann", "--admin"]).out.trim();
	assert.ok(caller.length > 20, caller);
	const secret = "the-secret-of-the-alarms-0123456789", fields = "the-field-of-the-collector-0123456789";
	const upstream = await startEmulator("--key", "sk-another-key-than-the-gateways"); // every attempt is refused
	const gateway = start(["serve", "--home", home.path, "--base-url", `${upstream.base}/v1`, "--listen", "127.0.0.1:0", "--log-level", "debug",
		"--otlp-endpoint", upstream.base, "--alarm-url", `${upstream.base}/alarm`],
	{ env: { EMBED_SERVE_ALARM_SECRET: secret, EMBED_SERVE_OTLP_HEADERS: `x-key=${fields}` } });
	const [, base] = await gateway.until(/serving on (\S+)\/v1/);
	const headers = { authorization: `Bearer ${caller}` };
	const refused = await embed(base, { input: "refused" }, { headers });
	assert.ok(refused.status >= 400, refused.text);
	gateway.child.kill("SIGHUP");
	const answers = [refused.text];
	answers.push(...await Promise.all(paths.map((path) => read(`${base}${path}`, headers))));
	const argv = readFileSync(`/proc/${gateway.child.pid}/cmdline`, "latin1");
	assert.equal(await gateway.stop(), 0);
	await upstream.stop();
	const said = [gateway.output, argv, ...answers].join("\n");
	assert.match(said, /event=/);
	assert.match(said, /embed_/);
	for (const key of [upstreamKey, caller, secret, fields]) assert.ok(!said.includes(key), `${key} was said`);
	home.remove();
});

test("what searches all tests' outputs for the key finds one that is planted", () => {
	const planted = `import { writeFileSync } from "node:fs";
		const { newHome, upstreamKey } = await import(${JSON.stringify(new URL("harness.mjs", import.meta.url).href)});
		const home = newHome();
		writeFileSync(home.path + "/report", process.argv[1] === "yes" ? "before " + upstreamKey + " after" : "nothing");
		home.remove();`;
	const look = (answer) => spawnSync(process.execPath, ["--input-type=module", "-e", planted, answer], { encoding: "utf8", env: process.env });
	assert.equal(look("no").status, 0);
	const found = look("yes");
	assert.equal(found.status, 1);
	assert.match(found.stderr, /the API key is in .*report/);
});

test("a key's file that others may read is refused without a word of it", () => {
	const home = newHome();
	const file = join(home.path, "open-key");
	writeFileSync(file, "sk-lies-in-the-open-0123\n", { mode: 0o644 });
	const { code, err } = run(["text", "--home", home.path, "--api-key-file", file, "--base-url", "http://127.0.0.1:9/v1", "x"]);
	assert.equal(code, 2);
	assert.match(err, /chmod 600/);
	assert.doesNotMatch(err, /lies-in-the-open/);
	home.remove();
});

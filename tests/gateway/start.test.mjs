// SPDX-License-Identifier: MIT
// ./start, but for installing and building: what it says stands behind it, and that what it prints can be used.
import assert from "node:assert/strict";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { once } from "node:events";
import net from "node:net";
import { spawnSync } from "node:child_process";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { binary, start, startEmulator } from "./harness.mjs";

const source = (name) => new URL(`../../${name}`, import.meta.url).pathname;

// A checkout whose program is built already; `cmake` and the installer find nothing to do.
function newCheckout() {
	const folder = mkdtempSync(join(tmpdir(), "embed-start-"));
	for (const part of ["tools", "bin", "build/release", "data"]) mkdirSync(join(folder, part), { recursive: true });
	for (const idle of ["tools/install-packages", "bin/cmake"]) writeFileSync(join(folder, idle), "#!/bin/sh\n", { mode: 0o755 });
	for (const name of ["start", "README.md"]) copyFileSync(source(name), join(folder, name));
	symlinkSync(resolve(binary), join(folder, "build/release/embed"));
	return folder;
}

async function freePort() {
	const listener = net.createServer().listen(0, "127.0.0.1");
	await once(listener, "listening");
	const { port } = listener.address();
	listener.close();
	return port;
}

// Runs ./start until it serves; `environment` beside a PATH and a folder for its data.
async function withStarted(environment, body) {
	const folder = newCheckout();
	const port = await freePort();
	const running = start(["--listen", `127.0.0.1:${port}`], { command: join(folder, "start"),
		env: { OPENAI_API_KEY: "", XDG_DATA_HOME: join(folder, "data"), PATH: `${join(folder, "bin")}:${process.env.PATH}`, ...environment } });
	try {
		await running.until(/serving on http/);
		await body({ said: running.output, base: `http://127.0.0.1:${port}`, log: readFileSync(join(folder, "build/logs/first.log"), "utf8") });
		const { pid } = running.child;
		for (const child of readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" "))
			process.kill(Number(child), "SIGTERM"); // as Ctrl-C reaches them all
		await running.ended;
	} finally {
		await running.stop("SIGKILL");
		rmSync(folder, { recursive: true });
	}
}

async function assertUsable({ said, base }) {
	assert.ok(said.includes(`address:    ${base}/v1`), said);
	assert.ok(said.includes(`dashboard:  ${base}/`), said);
	const page = await fetch(said.match(/dashboard:\s+(\S+)/)[1]);
	assert.match(page.headers.get("content-type"), /^text\/html/);
	const line = said.match(/^ *(curl .*)$/m)[1];
	const answer = JSON.parse(spawnSync("sh", ["-c", line], { encoding: "utf8" }).stdout);
	assert.equal(answer.data[0].embedding.length, 1536);
}

test("without a key it serves the stand-in and says so", () => withStarted({}, async (started) => {
	assert.match(started.said, /the stand-in at http:\/\/127\.0\.0\.1:\d+\/v1 behind it: OPENAI_API_KEY is not set/);
	assert.match(started.said, /"source":"README\.md"/);
	await assertUsable(started);
}));

test("with a key it serves what the environment names and says so", async () => {
	const upstream = await startEmulator("--key", "sk-of-the-environment");
	await withStarted({ OPENAI_API_KEY: "sk-of-the-environment", OPENAI_BASE_URL: `${upstream.base}/v1` }, async (started) => {
		assert.ok(started.said.includes(`${upstream.base}/v1 behind it (the key is of your environment)`), started.said);
		assert.doesNotMatch(started.said, /stand-in|sk-of/);
		await assertUsable(started);
	});
	assert.ok((await upstream.stats()).texts > 0);
	await upstream.stop();
});

// SPDX-License-Identifier: MIT
// What `embed serve` gives up before it listens, and that what it needs still works.  The kernel's parts: src/app/sandbox_test.c.
import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { embed, newHome, start, startEmulator, startGateway, withGateway } from "./harness.mjs";

const isRoot = process.getuid() === 0;
const hasLandlock = Number(readFileSync("/proc/sys/kernel/osrelease", "utf8").split(".")[0]) >= 6;
const statusOf = (running, name) => readFileSync(`/proc/${running.child.pid}/status`, "utf8").match(new RegExp(`^${name}:\\s*(.*)$`, "m"))[1];

// A private file beside, then over the old one, as tools that rotate secrets do it.
function replace(path, text) {
	writeFileSync(`${path}.new`, text, { mode: 0o600 });
	renameSync(`${path}.new`, path);
}

test("it says what is in force, and cannot get new privileges or forbidden calls", () => withGateway([], ["--log-level", "info"],
	async ({ gateway }) => {
	const [line] = await gateway.until(/event=sandbox.*/);
	if (hasLandlock) assert.match(line, /files=limited .*calls=limited landlock=[1-9]/);
	assert.equal(statusOf(gateway, "NoNewPrivs"), "1");
	assert.equal(statusOf(gateway, "Seccomp"), "2");
}));

test("the variables it was started with, keys among them, cannot be read off the process", () => withGateway([], [], async ({ gateway }) => {
	assert.match(readFileSync(`/proc/${process.pid}/environ`, "latin1"), /PATH=/);
	assert.doesNotMatch(readFileSync(`/proc/${gateway.child.pid}/environ`, "latin1"), /[^\0]/);
	gateway.child.kill("SIGHUP"); // it knows them still
	assert.equal((await embed(gateway.base, { input: "with the key" })).status, 200);
}));

test("off is off", () => withGateway([], ["--log-level", "info", "--sandbox", "off"], async ({ gateway }) => {
	await gateway.until(/event=sandbox .*files=open ports=open calls=open landlock=0/);
	assert.equal(statusOf(gateway, "NoNewPrivs"), "0");
}));

// A gateway whose key lies in a folder of its own, and another folder that no option named at the start.
async function withKeyFile(args, body) {
	const home = newHome();
	const folder = mkdtempSync(join(tmpdir(), "embed-key-")), other = mkdtempSync(join(tmpdir(), "embed-other-"));
	const key = join(folder, "key"), config = join(folder, "embed.conf"), otherKey = join(other, "key");
	replace(key, "sk-test-first\n");
	replace(otherKey, "sk-test-other\n");
	replace(config, `api_key_file = ${key}\n`);
	const upstream = await startEmulator("--key", "sk-test-second");
	const gateway = start(["serve", "--home", home.path, "--base-url", `${upstream.base}/v1`, "--listen", "127.0.0.1:0",
		"--config", config, "--log-level", "info", ...args], { env: { OPENAI_API_KEY: "" } });
	[, gateway.base] = await gateway.until(/serving on (\S+)\/v1/);
	try {
		await body({ gateway, key, config, otherKey });
	} finally {
		await gateway.stop("SIGKILL");
		await upstream.stop("SIGKILL");
		home.remove();
		for (const path of [folder, other]) rmSync(path, { recursive: true });
	}
}

test("an open outside its folders fails, and all that it had stays", { skip: !hasLandlock }, () => withKeyFile([],
	async ({ gateway, config, otherKey }) => {
	replace(config, `api_key_file = ${otherKey}\n`);
	gateway.child.kill("SIGHUP");
	await gateway.until(/event=settings_not_read .*Permission denied/);
	assert.equal((await fetch(`${gateway.base}/health`)).status, 200);
}));

test("without the sandbox the same file is read", () => withKeyFile(["--sandbox", "off"], async ({ gateway, config, otherKey }) => {
	replace(config, `api_key_file = ${otherKey}\n`);
	gateway.child.kill("SIGHUP");
	await gateway.until(/event=setting_changed name=api_key_file/);
	assert.doesNotMatch(gateway.output, /settings_not_read/);
}));

test("a key that is replaced in its folder is taken on SIGHUP", () => withKeyFile([], async ({ gateway, key }) => {
	assert.equal((await embed(gateway.base, { input: "wrong key" })).status >= 400, true);
	replace(key, "sk-test-second\n");
	gateway.child.kill("SIGHUP");
	for (;;) {
		const { status } = await embed(gateway.base, { input: "right key" });
		if (status === 200) break;
		assert.ok(status >= 400, `${status}`);
	}
}));

test("started by root it becomes another user, who owns the store, and whose processes cannot look into it", { skip: !isRoot }, async () => {
	const folder = mkdtempSync(join(tmpdir(), "embed-user-"));
	chmodSync(folder, 0o755);
	const upstream = await startEmulator();
	const gateway = await startGateway(upstream.base, join(folder, "home"), "--user", "nobody");
	try {
		assert.equal((await embed(gateway.base, { input: "as nobody" })).status, 200);
		const [uid] = statusOf(gateway, "Uid").split(/\s/);
		assert.notEqual(uid, "0");
		assert.equal(statusOf(gateway, "Uid"), `${uid}\t${uid}\t${uid}\t${uid}`);
		assert.equal(statusOf(gateway, "CapEff"), "0000000000000000");
		assert.equal(String(statSync(join(folder, "home", "ledger.db")).uid), uid);
		assert.equal(statSync(`/proc/${gateway.child.pid}/environ`).uid, 0); // root's: not dumpable
		assert.equal((await fetch(`${gateway.base}/metrics`)).status, 200);
		assert.match(await (await fetch(`${gateway.base}/metrics`)).text(), /^process_open_fds [1-9]/m);
	} finally {
		await gateway.stop("SIGKILL");
		await upstream.stop("SIGKILL");
		rmSync(folder, { recursive: true });
	}
});

test("a home of somebody else is refused with a reason", { skip: !isRoot }, async () => {
	const folder = mkdtempSync(join(tmpdir(), "embed-user-"));
	mkdirSync(join(folder, "home"), { mode: 0o700 });
	const gateway = start(["serve", "--home", join(folder, "home"), "--user", "nobody", "--listen", "127.0.0.1:0"]);
	assert.notEqual(await gateway.ended, 0);
	assert.match(gateway.output, /Permission denied/);
	rmSync(folder, { recursive: true });
});

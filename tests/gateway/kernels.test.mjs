// SPDX-License-Identifier: MIT
// Kernels that know less (KERNEL_LIBRARY, kernel.c): `serve` confines itself as far as they can, says so, and with
// `--sandbox require` does not start where they cannot.  The rules themselves: app.sandbox.landlock-N, the same way.
import assert from "node:assert/strict";
import { test } from "node:test";
import { embed, newHome, start, startEmulator } from "./harness.mjs";

const kernel = (settings) => ({ LD_PRELOAD: process.env.KERNEL_LIBRARY, ...settings });
const older = (version) => kernel({ KERNEL_LANDLOCK: String(version) });

async function withServe(env, args, body) {
	const home = newHome();
	const upstream = await startEmulator();
	const gateway = start(["serve", "--home", home.path, "--base-url", `${upstream.base}/v1`, "--listen", "127.0.0.1:0",
		"--log-level", "info", ...args], { env });
	try {
		await body(gateway);
	} finally {
		await gateway.stop("SIGKILL");
		await upstream.stop("SIGKILL");
		home.remove();
	}
}

// What the log says of the sandbox, once a text was embedded in it.
async function confined(env, ...args) {
	let said;
	await withServe(env, args, async (gateway) => {
		const [, address] = await gateway.until(/serving on (\S+)\/v1/);
		[, said] = await gateway.until(/ (\w+ event=sandbox .*)/);
		assert.equal((await embed(address, { input: "in the sandbox" })).status, 200);
	});
	return said;
}

async function refused(env) {
	let said;
	await withServe(env, ["--sandbox", "require"], async (gateway) => {
		assert.equal(await gateway.ended, 2, gateway.output);
		assert.doesNotMatch(gateway.output, /serving on/);
		said = gateway.output;
	});
	return said;
}

const here = Number((await confined({})).match(/landlock=(\d+)/)[1]);

test("each version of Landlock limits what it can, and the line says what", async () => {
	for (let version = 1; version <= here; version++) {
		const said = await confined(older(version), "--sandbox", "require");
		assert.match(said, new RegExp(`^info .*files=limited ports=${version < 4 ? "open" : "limited"} calls=limited landlock=${version}$`));
	}
});

test("without Landlock it goes on and warns; with require it does not start", async () => {
	assert.match(await confined(older(0)), /^warn .*files=open ports=open calls=limited landlock=0 do=".*from outside"/);
	assert.match(await refused(older(0)), /--sandbox require: this kernel has no Landlock/);
});

test("without seccomp it goes on and warns; with require it does not start", async () => {
	const none = kernel({ KERNEL_SECCOMP: "0" });
	assert.match(await confined(none), /^warn .*calls=open .*do=".*from outside"/);
	assert.match(await refused(none), here > 0 ? /--sandbox require: this kernel has no seccomp/ : /has no Landlock/);
});

// SPDX-License-Identifier: MIT
// A disk of 20 MB that fills up under the gateway, under `rows` and under an import, and has room again.
//   tests/torture/run EMBED disk
// Answers go on; what cannot be kept is said; no ledger row is lost; store and ledger go on when there is room.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { embed, embedUntilHit, newHome, run, sleep, startEmulator, startGateway } from "../gateway/harness.mjs";

const work = newHome();
const file = (name) => join(work.path, name);
const disk = file("disk");
mkdirSync(disk);
const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=20m", "embed-test", disk], { encoding: "utf8" });
if (mounted.status !== 0) {
	console.log(`no disk can be mounted here: ${mounted.stderr.trim()}`);
	work.remove();
	process.exit(77);
}
const filler = join(disk, "filler");
const upstream = await startEmulator();
const key = { OPENAI_API_KEY: "sk-upstream-key" };
const texts = (from, count) => Array.from({ length: count }, (_, i) => `something that fills the disk, number ${from + i}`);

function fill() {
	const parts = spawnSync("dd", ["if=/dev/zero", `of=${filler}`, "bs=64k"], { encoding: "utf8" });
	assert.match(parts.stderr, /No space left/);
}

async function bookedTokens(home) {
	const usage = JSON.parse(run(["usage", "--home", home, "--format", "json"]).out);
	return (usage.rows ?? usage).reduce((sum, row) => sum + row.billed_tokens, 0);
}

before(() => upstream.reset());
after(async () => {
	await upstream.stop("SIGKILL");
	spawnSync("umount", [disk]);
	work.remove();
});

test("the gateway answers on a full disk, says so, keeps its books and stores again when there is room", async () => {
	const home = join(disk, "gateway");
	writeFileSync(filler, Buffer.alloc(6 << 20));
	const gateway = await startGateway(upstream.base, home);
	for (let from = 0; from < 8000; from += 200) {
		const answer = await embed(gateway.base, { input: texts(from, 200), encoding_format: "base64" });
		assert.equal(answer.status, 200, answer.text.slice(0, 300));
		assert.equal(answer.json.data.length, 200);
	}
	await gateway.until(/store_write_failed.*(full|room)/);
	rmSync(filler);
	const again = await embedUntilHit(gateway.base, { input: ["stored when there is room"], encoding_format: "base64" });
	assert.equal(again.headers.get("x-embed-cache"), "hit");
	await sleep(1500); // rows that waited go with the next group, a second later at the latest
	assert.equal(await gateway.stop(), 0, gateway.log());
	assert.ok(!gateway.log().includes("ledger_rows_lost"));
	assert.equal(await bookedTokens(home), (await upstream.stats()).tokens);
	const verified = run(["cache", "verify", "--home", home]);
	assert.equal(verified.code, 0, verified.err);
	assert.match(verified.out, /^[1-9]\d* good records, 0 bad/);
	rmSync(home, { recursive: true });
});

test("rows says that the disk is full, leaves no half output, and goes on when there is room", () => {
	const home = join(disk, "rows");
	const input = file("rows.txt");
	const output = join(disk, "out.jsonl");
	writeFileSync(input, texts(10000, 800).join("\n") + "\n");
	const args = ["rows", input, "-o", output, "-e", "base64", "--home", home, "--base-url", `${upstream.base}/v1`];
	mkdirSync(home);
	fill();
	const full = run(args, key);
	assert.ok(full.code > 0, `${full.code}`);
	assert.match(full.err, /full|space/i);
	assert.ok(!existsSync(output));
	rmSync(filler);
	const good = run(args, key);
	assert.equal(good.code, 0, good.err);
	assert.equal(readFileSync(output, "utf8").split("\n").length, 801);
	const verified = run(["cache", "verify", "--home", home]);
	assert.match(verified.out, /^800 good records, 0 bad/);
	rmSync(home, { recursive: true });
	rmSync(output);
});

test("an import says that the disk is full, and the same import goes on when there is room", () => {
	const from = file("from");
	const input = file("many.txt");
	writeFileSync(input, texts(20000, 4000).join("\n") + "\n");
	const made = run(["rows", input, "-o", file("many.jsonl"), "-e", "none", "--home", from, "--base-url", `${upstream.base}/v1`], key);
	assert.equal(made.code, 0, made.err);
	assert.equal(run(["cache", "export", file("records"), "--home", from]).code, 0);
	const home = join(disk, "import");
	writeFileSync(filler, Buffer.alloc(14 << 20));
	const full = run(["cache", "import", file("records"), "--home", home]);
	assert.ok(full.code > 0, `${full.code} ${full.out}`);
	assert.match(full.err, /full|room/);
	assert.equal(run(["cache", "verify", "--home", home]).code, 0);
	rmSync(filler);
	const good = run(["cache", "import", file("records"), "--home", home]);
	assert.equal(good.code, 0, good.err);
	assert.match(run(["cache", "verify", "--home", home]).out, /^4000 good records, 0 bad/);
});

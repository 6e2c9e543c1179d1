// SPDX-License-Identifier: MIT
// Torture: each allocation and each call on a file fails in turn, and the calendar jumps, in whole commands.
//   tests/torture/run EMBED FAULTS.so [--most 40] [--only COMMAND] [--kind KIND]
//   --most: calls of each kind and command, evenly spread
// No failure may crash, nor pass in silence: a command ends well, or with a status and a sentence; its output is
// whole or not there; store and ledger verify; and the same command again, without the fault, ends well.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { binary, newHome, startEmulator } from "../gateway/harness.mjs";
import { kinds, never, newBoard } from "./board.mjs";

const { values, positionals } = parseArgs({
	allowPositionals: true,
	options: { most: { type: "string", default: "40" }, only: { type: "string" }, kind: { type: "string" } },
});
const [faults] = positionals;
const most = Number(values.most);

const work = newHome();
const board = newBoard(join(work.path, "board"));
const file = (name) => join(work.path, name);
const upstream = await startEmulator();
const home = file("home");
const settings = ["--home", home, "--base-url", `${upstream.base}/v1`, "--dimensions", "32"];
const text = (i) => `something to embed under bad conditions, number ${i}`;
writeFileSync(file("rows.txt"), Array.from({ length: 40 }, (_, i) => text(i)).join("\n") + "\n");
writeFileSync(file("page.md"), "# Heading\n\n" + Array.from({ length: 60 }, (_, i) => text(i)).join(". ") + ".\n");

// What is run, in a copy of `from`; `output` is whole or absent, what it `prints` is right or the status says so.
const commands = [
	{ name: "rows", from: "empty", args: ["rows", file("rows.txt"), "-o", file("out"), ...settings], output: file("out") },
	{ name: "rows again", from: "full", args: ["rows", file("rows.txt"), "-o", file("out"), ...settings], output: file("out") },
	{ name: "rows to .npy", from: "full", args: ["rows", file("rows.txt"), "-o", file("out.npy"), ...settings], output: file("out.npy") },
	{ name: "files", from: "empty", args: ["files", file("page.md"), "--size", "32", "-o", file("out"), ...settings], output: file("out") },
	{ name: "text without store", from: "empty", args: ["text", "one", "two", "--no-store", "-o", file("out"), ...settings], output: file("out") },
	{ name: "export", from: "full", args: ["cache", "export", file("out"), "--home", home], output: file("out") },
	{ name: "import", from: "empty", args: ["cache", "import", file("records"), "--home", home] },
	{ name: "prune", from: "full", args: ["cache", "prune", "--to-size", "4k", "--home", home] },
	{ name: "verify", from: "full", args: ["cache", "verify", "--home", home], prints: true },
	{ name: "usage", from: "full", args: ["usage", "--home", home], prints: true },
	{ name: "chunk", from: "empty", args: ["chunk", file("page.md"), "--size", "32", "--home", home], prints: true },
	{ name: "tokens", from: "empty", args: ["tokens", file("page.md"), "--home", home], prints: true },
	{ name: "clean", from: "empty", args: ["clean", "--map", file("page.md"), "--home", home], prints: true },
	{ name: "help", from: "empty", args: ["serve", "--help"], prints: true },
	{ name: "keys", from: "empty", args: ["keys", "add", "ann", "--home", home] },
];

function execute(args, kind, at) {
	if (kind) board.arm(at);
	const done = spawnSync(binary, args, {
		encoding: "utf8", timeout: 60_000,
		env: {
			PATH: process.env.PATH, HOME: work.path, OPENAI_API_KEY: "sk-upstream-key",
			...(kind && { LD_PRELOAD: faults, TORTURE: kind, TORTURE_BOARD: board.path }),
		},
	});
	return { code: done.status, signal: done.signal, out: done.stdout, err: done.stderr };
}

function lay(from) {
	rmSync(home, { recursive: true, force: true });
	for (const name of ["out", "out.partial", "out.npy", "out.npy.partial"]) rmSync(file(name), { force: true });
	if (from === "full") cpSync(file("full"), home, { recursive: true });
}

function good(result, what) {
	assert.equal(result.code, 0, `${what}: ${result.signal ?? result.code} ${result.err}`);
	return result;
}

// The homes and outputs that an undisturbed run gives.
lay("empty");
good(execute(commands[0].args), "rows");
good(execute(["cache", "export", file("records"), "--home", home]), "export");
cpSync(home, file("full"), { recursive: true });
for (const command of commands) {
	lay(command.from);
	command.printed = good(execute(command.args), command.name).out;
	command.right = command.output && readFileSync(command.output);
}

// How often the command makes calls of this kind.
function callsOf(command, kind) {
	lay(command.from);
	execute(command.args, kind, never);
	return never - board.left();
}

// Where a source could not be read the output says so in its place, and the status does.
const isWhole = (command, output, code) => output.equals(command.right) || (code === 1 && output.includes('"error":{'));

function isHonest(command, result) {
	if (result.signal) return `died of ${result.signal}`;
	if (result.code === 0 && command.prints && result.out !== command.printed)
		return `ended well with another output: ${result.out.slice(0, 300)}`;
	if (result.code !== 0 && result.err.trim() === "") return `status ${result.code} without a word`;
	if (command.output && existsSync(command.output) && !isWhole(command, readFileSync(command.output), result.code))
		return "left an output that is not whole";
	if (command.output && result.code === 0 && !existsSync(command.output)) return "ended well without an output";
	return "";
}

// Without the fault: what is there is sound, and the command goes on.
function isSoundAfter(command) {
	if (existsSync(join(home, "store"))) {
		const verified = execute(["cache", "verify", "--home", home]);
		if (verified.code !== 0) return `the store does not verify: ${verified.err}${verified.out}`;
	}
	if (command.name === "keys") return "";
	const again = execute(command.args);
	if (again.code !== 0) return `does not go on afterwards: ${again.err}`;
	if (command.output && !readFileSync(command.output).equals(command.right)) return "another output afterwards";
	return "";
}

const complaints = [];
let cases = 0, failed = 0;
for (const command of commands.filter(({ name }) => name === (values.only ?? name))) {
	for (const kind of kinds.filter((kind) => kind === (values.kind ?? kind))) {
		const calls = callsOf(command, kind);
		const step = Math.max(1, calls / most);
		for (let at = 1; at <= calls; at += step) {
			const fault = `${kind}:${Math.floor(at)}`;
			lay(command.from);
			const result = execute(command.args, kind, Math.floor(at));
			cases++;
			failed += result.code !== 0;
			const complaint = isHonest(command, result) || isSoundAfter(command);
			if (complaint) complaints.push(`${command.name}, ${fault}: ${complaint}`);
		}
	}
}
await upstream.stop("SIGKILL");
work.remove();
console.log(`${cases} faults in ${commands.length} commands; ${failed} ended with a status, the others went on`);
if (complaints.length) console.log(complaints.join("\n"));
process.exit(complaints.length ? 1 : 0);

// SPDX-License-Identifier: MIT
// Every line of the source that logs an error or a warning says what to do, and each status has its advice.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

const root = new URL("../../", import.meta.url);
const files = readdirSync(new URL("src/", root), { recursive: true }).filter((name) => /\.c$/.test(name) && !/_test\.c$/.test(name));
const calls = files.flatMap((name) => {
	const source = readFileSync(new URL(`src/${name}`, root), "utf8");
	return [...source.matchAll(/\b(log_event|log_upstream)\(([^{}]*?)(?:NULL|error)\);/gs)].map((match) => ({
		where: `${name}:${source.slice(0, match.index).split("\n").length}`, of: match[1], text: match[2] }));
});

test("the log's sites are found", () => assert.ok(calls.length > 20, `${calls.length}`));

test("each error and warning says what to do", () => {
	const faults = calls.filter(({ of, text }) => of === "log_event" && /EMBED_LOG_(ERROR|WARN)/.test(text));
	assert.ok(faults.length > 10);
	assert.deepEqual(faults.filter(({ text }) => !/"do"/.test(text)).map(({ where }) => where), []);
});

test("what is logged of upstreams by one function says it there", () => {
	const source = readFileSync(new URL("src/engine/core_answer.c", root), "utf8");
	assert.match(source, /log_upstream\([^{]*\{[^}]*"do",\s+embed_status_advice\(/s);
});

test("no line is given a text, a vector or a key's value", () => {
	for (const { where, text } of calls)
		assert.doesNotMatch(text, /\b(api_key|authorization|caller_key|secret|->bytes|vector|input->|texts\[)/, where);
});

test("each status says what to do", () => {
	const header = readFileSync(new URL("include/embed.h", root), "utf8");
	const table = header.slice(header.indexOf("#define EMBED_STATUS_TABLE"), header.indexOf("enum embed_status {")).replace(/\\\n\s*/g, "");
	const rows = [...table.matchAll(/ROW\(\w+, "([^"]*)",\s*"([^"]*)",\s*"([^"]*)"\)/g)];
	assert.ok(rows.length >= 29, `${rows.length}`);
	for (const [, code, meaning, advice] of rows) assert.ok(advice.length > 6 && advice !== meaning, code);
});

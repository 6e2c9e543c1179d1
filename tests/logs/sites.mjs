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
	const source = readFileSync(new URL("src/engine/core_note.c", root), "utf8");
	assert.match(source, /log_upstream\([^{]*\{[^}]*"do",\s+embed_status_advice\(/s);
});

test("no line is given a text, a vector or a key's value", () => {
	for (const { where, text } of calls)
		assert.doesNotMatch(text, /\b(api_key|authorization|caller_key|secret|->bytes|vector|input->|texts\[)/, where);
});

// Rows of a table of a header, each as its quoted strings.
function rowsOf(file, name) {
	const source = readFileSync(new URL(file, root), "utf8");
	const lines = source.slice(source.indexOf(`#define ${name}(`)).split("\n");
	const table = lines.slice(0, lines.findIndex((line) => !line.endsWith("\\")) + 1).join("\n").replace(/\\\n\s*/g, "");
	return [...table.matchAll(/ROW\(\w+, (.*?)\)(?=ROW|\s*ROW|$)/g)].map(([, row]) => [...row.replace(/"\s+"/g, "").matchAll(/"([^"]*)"/g)].map(([, text]) => text));
}

test("each alarm says what it means and what to do", () => {
	const rows = rowsOf("src/gateway/alarm.h", "ALARM_TABLE");
	assert.ok(rows.length >= 7, `${rows.length}`);
	for (const [code, meaning, advice] of rows) assert.ok(advice?.length > 6 && advice !== meaning, code);
});

test("each alert for Prometheus says more than its name", () => {
	const rules = readFileSync(new URL("docs/alerts.yml", root), "utf8").split("- alert: ").slice(1);
	assert.ok(rules.length >= 10);
	for (const rule of rules) {
		assert.match(rule, /severity: (page|ticket)/, rule);
		assert.match(rule, /summary: "[^"]{10,}"/, rule);
		assert.match(rule, /description: "[^"]{10,}"/, rule);
	}
});

test("the pages show the advice of what they show as wrong", () => {
	const page = readFileSync(new URL("src/gateway/page/tables.js", root), "utf8");
	assert.match(page, /label: "What to do", cell: \(row\) => row\.do/);
	assert.match(page, /alarm\.do/);
	for (const file of ["src/gateway/snapshot.c"]) {
		const source = readFileSync(new URL(file, root), "utf8");
		assert.equal(source.split('text(out, "do", ').length - 1, 3, "errors, faults and alarms have it");
	}
});

test("each status says what to do", () => {
	const header = readFileSync(new URL("include/embed.h", root), "utf8");
	const table = header.slice(header.indexOf("#define EMBED_STATUS_TABLE"), header.indexOf("enum embed_status {")).replace(/\\\n\s*/g, "");
	const rows = [...table.matchAll(/ROW\(\w+, "([^"]*)",\s*"([^"]*)",\s*"([^"]*)"\)/g)];
	assert.ok(rows.length >= 29, `${rows.length}`);
	for (const [, code, meaning, advice] of rows) assert.ok(advice.length > 6 && advice !== meaning, code);
});

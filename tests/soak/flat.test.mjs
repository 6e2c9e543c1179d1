// SPDX-License-Identifier: MIT
// The soak's own eyes: what leaks is seen, and what fills up once is not called a leak.
import assert from "node:assert/strict";
import { test } from "node:test";
import { growth } from "./flat.mjs";

const held = { anon: 30, fds: 25, threads: 9 };
const slots = 16;
// A run of so many seconds in which memory is what `anon` says.
const run = (seconds, anon, after = {}) => growth({
	before: held, seconds, slots, after: { ...held, ...after },
	samples: Array.from({ length: seconds }, (_, s) => ({ ...held, anon: anon(s) })),
});
const noise = (s) => (s * 7919 % 13) / 13; // MB that come and go

test("what fills up in the first quarter and then stays is flat", () => {
	assert.deepEqual(run(120, (s) => 30 + Math.min(s, 30) + noise(s)), []);
	assert.deepEqual(run(3600, (s) => 30 + Math.min(s / 60, 15) + noise(s) / 4), []);
});

test("150 bytes a request, of a thousand requests a second, are seen in two minutes", () => {
	assert.deepEqual(run(120, (s) => 30 + s * 1000 * 150 / (1 << 20) + noise(s)), ["memory"]);
});

test("ten bytes a request, of a hundred requests a second, are seen in an hour", () => {
	assert.deepEqual(run(3600, (s) => 30 + s * 100 * 10 / (1 << 20) + noise(s) / 4), ["memory in the second half"]);
});

test("descriptors and threads that stay are seen", () => {
	assert.deepEqual(run(120, () => 30, { fds: 25 + slots + 5 }), ["descriptors"]);
	assert.deepEqual(run(120, () => 30, { fds: 25 + slots, threads: 10 }), ["threads"]);
});

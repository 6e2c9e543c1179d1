// SPDX-License-Identifier: MIT
// usage: node large.mjs BASE PID   CPU of one request with 2,048 stored texts, base64
import { readFileSync } from "node:fs";
const [base, pid] = process.argv.slice(2);
const filler = "the quick brown fox jumps over the lazy dog and runs ".repeat(7);
const body = JSON.stringify({
	model: "text-embedding-3-small",
	input: Array.from({ length: 2048 }, (_, i) => `${i} ${filler}`),
	encoding_format: "base64",
});
const ticks = () => {
	const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(" ");
	return [Number(fields[13]), Number(fields[14])];
};
const before = ticks();
const times = 100;
for (let i = 0; i < times; i++) {
	const response = await fetch(`${base}/v1/embeddings`, { method: "POST", body });
	if (response.headers.get("x-embed-cache") !== "hit") throw new Error(response.headers.get("x-embed-cache"));
	await response.arrayBuffer();
}
const after = ticks();
console.log(`2048 hits in one request: ${((after[0] - before[0]) * 10 / times).toFixed(2)} ms of CPU in user space, ` +
	`${((after[1] - before[1]) * 10 / times).toFixed(2)} ms in the kernel, which moves 17 MB`);

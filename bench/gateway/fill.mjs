// SPDX-License-Identifier: MIT
// usage: node fill.mjs BASE COUNT [FIRST]   stores the texts FIRST to COUNT that hit.lua asks for
const [base, count, start] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4] ?? 0)];
const filler = "the quick brown fox jumps over the lazy dog and runs ".repeat(7);
const batch = 2048;
for (let first = start; first < count; first += batch) {
	const input = Array.from({ length: Math.min(batch, count - first) }, (_, i) => `${first + i} ${filler}`);
	const response = await fetch(`${base}/v1/embeddings`, {
		method: "POST",
		headers: { "content-type": "application/json", "x-embed-lane": "bulk" },
		body: JSON.stringify({ model: "text-embedding-3-small", input, encoding_format: "base64" }),
	});
	if (!response.ok) throw new Error(await response.text());
	await response.arrayBuffer();
}

// SPDX-License-Identifier: MIT
// reconcile.mjs STATS USAGE TEXTS: the stand-in's books against our ledger; fails when they differ.
import { readFileSync } from "node:fs";

const [stats, usage] = process.argv.slice(2, 4).map((file) => JSON.parse(readFileSync(file, "utf8")));
const texts = Number(process.argv[4]);
const rows = Array.isArray(usage) ? usage : usage.rows ?? [usage];
const ledger = rows.reduce((sum, row) => sum + (row.billed_tokens ?? 0), 0);
const wrong = [];
if (ledger !== stats.tokens) wrong.push(`the ledger has ${ledger} tokens, the stand-in billed ${stats.tokens}`);
if (stats.texts !== texts) wrong.push(`${stats.texts} texts were billed, not ${texts}`);
if (stats.repeated_texts !== 0) wrong.push(`${stats.repeated_texts} texts were billed twice`);
if (wrong.length > 0) throw new Error(wrong.join("; "));
console.log(`books agree: ${stats.texts} texts, ${stats.tokens} tokens, in ${stats.embeddings_requests} requests`);

// SPDX-License-Identifier: MIT
// summary.mjs RESULTS TEXTS: the median of each client's rounds, and what the issue asks for.
import { readFileSync } from "node:fs";

const [file, textCount] = process.argv.slice(2);
const texts = Number(textCount);
const rows = readFileSync(file, "utf8").trim().split("\n").map((line) => JSON.parse(line));
const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
const of = {};
for (const name of new Set(rows.map((row) => row.name))) {
  const mine = rows.filter((row) => row.name === name);
  of[name] = Object.fromEntries(["wall_ms", "cpu_ms", "peak_kib", "anon_kib"].map(
    (key) => [key, mine[0][key] === undefined ? NaN : median(mine.map((row) => row[key]))]));
}
const cpu = (name) => of[name].cpu_ms * 1e3 / texts;
const cell = (value, digits = 0) => (Number.isFinite(value) ? value.toFixed(digits) : "-").padStart(10);

console.log(`${"".padEnd(20)}${"CPU us/text".padStart(12)}${"wall ms".padStart(10)}${"peak MiB".padStart(10)}${"own MiB".padStart(10)}` +
  `${"texts/s".padStart(10)}${"CPU ratio".padStart(11)}${"wall ratio".padStart(11)}`);
for (const [name, it] of Object.entries(of)) {
  console.log(`${name.padEnd(20)}${cell(cpu(name), 1).padStart(12)}${cell(it.wall_ms)}${cell(it.peak_kib / 1024)}${cell(it.anon_kib / 1024)}` +
    `${cell(texts / it.wall_ms * 1e3)}${cell(cpu(name) / cpu("baseten"), 3).padStart(11)}` +
    `${cell(it.wall_ms / of.floor.wall_ms, 2).padStart(11)}`);
}
console.log("CPU ratio: to baseten's.  Wall ratio: to the stand-in alone (floor).\n" +
  "peak counts pages of mapped files (the store), own does not.\n" +
  "embed's figures are those of the whole process; the npm clients' begin when Node has started and the texts are read.\n" +
  "baseten gives vectors only as numbers; baseten-undecoded asks for base64, which it receives and drops: it delivers nothing.\n");

function judge(what, value, limit, isMost) {
  const good = isMost ? value <= limit : value >= limit;
  console.log(`${good ? "reached" : "MISSED "}  ${what}: ${value.toFixed(2)}, wanted at ${isMost ? "most" : "least"} ${limit}`);
}
judge("CPU per text with store, ledger, counts and .npy, to baseten's", cpu("embed") / cpu("baseten"), 0.8, true);
judge("CPU per text without store, to baseten's", cpu("embed-no-store") / cpu("baseten"), 0.4, true);
judge("wall time, to the stand-in alone", of.embed.wall_ms / of.floor.wall_ms, 1.15, true);
judge("texts a second of one core, all of them hits", texts / of["embed-again"].cpu_ms * 1e3, 100000, false);
console.log(`for comparison  CPU per text to baseten-undecoded: ${(cpu("embed") / cpu("baseten-undecoded")).toFixed(2)} ` +
  `with store, ${(cpu("embed-no-store") / cpu("baseten-undecoded")).toFixed(2)} without`);

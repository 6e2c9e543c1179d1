// SPDX-License-Identifier: MIT
// summary.mjs RESULTS PLOT: the table of bench/lengths, and tokens a second over tokens a text as an SVG.
import { readFileSync, writeFileSync } from "node:fs";

const NANO_PER_TOKEN = 20; // text-embedding-3-small
const [file, plot] = process.argv.slice(2);
const cells = new Map();
for (const line of readFileSync(file, "utf8").trim().split("\n")) {
  const row = JSON.parse(line);
  const [cell, what] = row.name.split(":");
  if (!cells.has(cell)) cells.set(cell, {});
  (cells.get(cell)[what] ??= []).push(row);
}
const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

console.log("script   tokens/text   texts/s    tokens/s  CPU us/text  ns/token   miss ms    hit ms  $/1000 texts  openai us/text  ratio");
const points = [];
for (const [name, cell] of cells) {
  const [books] = cell.books, [embed] = cell.embed, [openai] = cell.openai;
  const tokens = books.tokens / books.texts;
  const cpu = embed.cpu_ms * 1e3 / books.texts;
  const openaiCpu = openai.cpu_ms * 1e3 / openai.texts;
  const perSecond = books.texts / embed.wall_ms * 1e3;
  points.push({ script: name.split("-")[0], tokens, perSecond: perSecond * tokens });
  console.log([name.split("-")[0].padEnd(8), tokens.toFixed(1).padStart(11), perSecond.toFixed(0).padStart(10),
    (perSecond * tokens).toFixed(0).padStart(11), cpu.toFixed(1).padStart(12), (cpu * 1e3 / tokens).toFixed(0).padStart(9),
    median(cell.miss.map((row) => row.wall_ms)).toFixed(1).padStart(9),
    median(cell.hit.map((row) => row.wall_ms)).toFixed(1).padStart(9),
    (tokens * NANO_PER_TOKEN / 1e6).toFixed(5).padStart(13), openaiCpu.toFixed(0).padStart(15),
    (cpu / openaiCpu).toFixed(3).padStart(7)].join(" "));
}
console.log("CPU, miss and hit are of the whole process with store and ledger; miss holds the stand-in's 20 ms.\n" +
  "openai us/text is Node's CPU after it has started; ratio is ours to it.");

const colours = { english: "#1f77b4", chinese: "#d62728", code: "#2ca02c", mixed: "#9467bd" };
const logs = points.map((p) => Math.log10(p.perSecond));
const [low, high] = [Math.floor(Math.min(...logs)), Math.ceil(Math.max(...logs))];
const x = (tokens) => 70 + Math.log10(Math.max(tokens, 1)) / 4 * 500;
const y = (perSecond) => 330 - (Math.log10(perSecond) - low) / (high - low) * 290;
let svg = `<svg xmlns="http://www.w3.org/2000/svg" width="640" height="400" font-family="sans-serif" font-size="12">\n` +
  `<rect width="640" height="400" fill="white"/>\n<text x="320" y="24" text-anchor="middle">embed rows: tokens a second over tokens a text</text>\n`;
for (let e = 0; e <= 4; e++)
  svg += `<line x1="${x(10 ** e)}" y1="40" x2="${x(10 ** e)}" y2="330" stroke="#ddd"/><text x="${x(10 ** e)}" y="348" text-anchor="middle">${10 ** e}</text>\n`;
for (let e = low; e <= high; e++)
  svg += `<line x1="70" y1="${y(10 ** e)}" x2="570" y2="${y(10 ** e)}" stroke="#ddd"/><text x="62" y="${y(10 ** e) + 4}" text-anchor="end">1e${e}</text>\n`;
Object.entries(colours).forEach(([script, colour], i) => {
  const mine = points.filter((p) => p.script === script);
  svg += `<polyline fill="none" stroke="${colour}" stroke-width="2" points="${mine.map((p) => `${x(p.tokens).toFixed(1)},${y(p.perSecond).toFixed(1)}`).join(" ")}"/>\n` +
    `<text x="${90 + i * 120}" y="380" fill="${colour}">${script}</text>\n`;
});
writeFileSync(plot, svg + "</svg>\n");
console.log(`plot: ${plot}`);

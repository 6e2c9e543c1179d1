// SPDX-License-Identifier: MIT
// node bench.mjs BENCH_TOKENS CORPORA all|quick|worst|ENCODING [CASE,...]: see run.
import { execFileSync } from 'node:child_process';
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';

const [program, corpora, extent] = process.argv.slice(2);
const names = ['english', 'multilingual', 'code'];
const allEncodings = ['cl100k_base', 'o200k_base'], isOne = allEncodings.includes(extent);
const encodings = extent === 'worst' ? [] : extent === 'quick' ? ['cl100k_base'] : isOne ? [extent] : allEncodings;
const peers = extent === 'quick' || isOne ? ['tiktoken (WASM)'] : ['tiktoken (WASM)', 'gpt-tokenizer', 'ai-tokenizer', 'js-tiktoken'];
const fileOf = name => path.join(corpora, name + '.txt');
const ours = (encoding, mode, runs, file) => JSON.parse(execFileSync(program, [encoding, mode, String(runs), file]));
const theirs = (peer, encoding, file) => JSON.parse(execFileSync('node', ['--max-old-space-size=8000', 'peer.mjs', peer, encoding, file])).mbps;
const row = cells => console.log(`| ${cells.join(' | ')} |`);
const head = cells => { console.log(); row(cells); row(cells.map((_, i) => (i === 0 ? '---' : '---:'))); };
const both = (mbps, base) => `${mbps.toFixed(1)} (${(mbps / base).toFixed(1)}x)`;

for (const encoding of encodings) {
  const measured = names.map(name => {
    // The reference before and after ours: what the machine does meanwhile hits both.
    const before = theirs('tiktoken (WASM)', encoding, fileOf(name));
    const encode = ours(encoding, 'encode', 7, fileOf(name)), count = ours(encoding, 'count', 7, fileOf(name));
    const base = (before + theirs('tiktoken (WASM)', encoding, fileOf(name))) / 2;
    return { base, encode, count, threads: ours(encoding, 'threads', 5, fileOf(name)) };
  });
  head([`${encoding}, MB/s (ratio to npm tiktoken)`, ...names]);
  row(['embed, first sight', ...measured.map(m => both(m.encode.first_mbps, m.base))]);
  row(['embed, same text again', ...measured.map(m => both(m.encode.again_mbps, m.base))]);
  row(['embed, count only, first sight', ...measured.map(m => both(m.count.first_mbps, m.base))]);
  row(['embed, count only, again', ...measured.map(m => both(m.count.again_mbps, m.base))]);
  row(['embed, two threads against one', ...measured.map(m => `${(m.threads.two_mbps / m.threads.one_mbps).toFixed(2)}x`)]);
  row(['tiktoken (WASM)', ...measured.map(m => both(m.base, m.base))]);
  for (const peer of peers.slice(1)) row([peer, ...names.map((name, i) => both(theirs(peer, encoding, fileOf(name)), measured[i].base))]);
}

// ---- Exactness on the whole corpora ----

const known = JSON.parse(fs.readFileSync('../../../bench/tokens/ids.json'));
if (encodings.length > 0) head(['ids of the corpora', ...encodings]);
let wrong = 0;
for (const name of encodings.length > 0 ? names : []) {
  const sha256 = crypto.createHash('sha256').update(fs.readFileSync(fileOf(name))).digest('hex');
  row([name, ...encodings.map(encoding => {
    if (sha256 !== known[name].sha256_text) return 'the text is another (packages have changed)';
    const same = ours(encoding, 'ids', 1, fileOf(name)).sha256_ids === known[name][encoding].sha256_ids;
    wrong += !same;
    return same ? 'all as tiktoken\'s' : 'DIFFERENT';
  })]);
}

// ---- Worst cases, and how time grows ----

const isWorst = extent === 'all' || extent === 'worst';
let lowest = Infinity, steepest = 0;
if (isWorst) head(['worst cases, cl100k_base, new to an encoder in use', 'MB/s for 1 MB', '1 KB', '32 KB', '1 MB', '64 MB', 'most for 2x the bytes']);
for (const file of isWorst ? fs.readdirSync(path.join(corpora, 'worst')) : []) {
  if (process.argv[5] && !process.argv[5].split(',').includes(path.basename(file, '.txt'))) continue;
  const ns = Object.entries(ours('cl100k_base', 'growing', 1, path.join(corpora, 'worst', file)).ns).map(([bytes, took]) => [Number(bytes), took]);
  const most = Math.max(...ns.slice(1).map(([, took], i) => took / ns[i][1]));
  const of = bytes => ns.find(([size]) => size === bytes)[1] / bytes, at = bytes => of(bytes).toFixed(1) + ' ns/B';
  lowest = Math.min(lowest, ...ns.map(([bytes, took]) => 1000 * bytes / took));
  steepest = Math.max(steepest, most);
  row([path.basename(file, '.txt'), (1000 / of(1 << 20)).toFixed(1), at(1024), at(32 << 10), at(1 << 20), at(64 << 20), most.toFixed(2) + 'x']);
}
if (isWorst) console.log(`\nslowest of all cases and sizes: ${lowest.toFixed(1)} MB/s; most for 2x the bytes: ${steepest.toFixed(2)}x`);
process.exit(wrong === 0 ? 0 : 1);

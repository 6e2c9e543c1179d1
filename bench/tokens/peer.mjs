// SPDX-License-Identifier: MIT
// node peer.mjs PEER ENCODING FILE: one JSON line {"mbps"}, the median of five passes of one core's processor time.
// Documents as bench_tokens cuts them; strings are made before the clock starts, as a JavaScript program has them.
// A slow peer gets as many of the documents, from the start, as fit its time.
import fs from 'node:fs';

const PASSES = 5, SECONDS = 8, DOCUMENT_BYTES = 65536;
const [peer, encoding, file] = process.argv.slice(2);

const loaders = {
  'tiktoken (WASM)': async () => {
    const reference = (await import('tiktoken')).get_encoding(encoding);
    return text => reference.encode_ordinary(text);
  },
  'gpt-tokenizer': async () => {
    const { encode } = await import(`gpt-tokenizer/encoding/${encoding}`);
    const options = { disallowedSpecial: new Set() };
    return text => encode(text, options);
  },
  'js-tiktoken': async () => {
    const { Tiktoken } = await import('js-tiktoken/lite');
    const tokenizer = new Tiktoken((await import(`js-tiktoken/ranks/${encoding}`)).default);
    return text => tokenizer.encode(text, [], []);
  },
  'ai-tokenizer': async () => {
    const Tokenizer = (await import('ai-tokenizer')).default;
    const tokenizer = new Tokenizer(await import(`ai-tokenizer/encoding/${encoding}`));
    return text => tokenizer.encode(text);
  },
};

function documents(bytes) {
  const cut = [];
  for (let at = 0; at < bytes.length;) {
    let end = Math.min(at + DOCUMENT_BYTES, bytes.length);
    const newline = bytes.lastIndexOf(10, end - 1);
    if (end < bytes.length && newline >= at) end = newline + 1;
    cut.push(bytes.subarray(at, end));
    at = end;
  }
  return cut;
}

const encode = await loaders[peer]();
const seconds = work => {
  const before = process.cpuUsage().user;
  work();
  return (process.cpuUsage().user - before) / 1e6;
};
let chosen = documents(fs.readFileSync(file)).map(bytes => ({ len: bytes.length, text: bytes.toString('utf8') }));
const bytesOf = list => list.reduce((sum, document) => sum + document.len, 0);
const pass = () => seconds(() => chosen.forEach(document => encode(document.text)));

const all = chosen;
chosen = all.slice(0, 8);
const perByte = pass() / bytesOf(chosen);
let count = 1;
while (count < all.length && bytesOf(all.slice(0, count + 1)) * perByte * (PASSES + 1) < SECONDS) count++;
chosen = all.slice(0, count);
pass();
const times = Array.from({ length: PASSES }, pass).sort((a, b) => a - b);
console.log(JSON.stringify({ mbps: bytesOf(chosen) / 1e6 / times[PASSES >> 1] }));

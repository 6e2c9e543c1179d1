// SPDX-License-Identifier: MIT
// node reference.mjs TOKENS_IDS SEED SECONDS: random texts, our ids against tiktoken's, until time is up.
// A difference is printed with the text that shows it, cut down as far as it stays different.
import { spawnSync } from 'node:child_process';
import { get_encoding } from 'tiktoken';

const [program, seedText, seconds] = process.argv.slice(2);
let state = Number(seedText) >>> 0;

function random(bound) {
  state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9) >>> 0;
  return Math.floor((state / 2 ** 32) * bound);
}

const pick = list => list[random(list.length)];
const ranges = [[0x20, 0x7e], [0x61, 0x7a], [0x41, 0x5a], [0x30, 0x39], [0x00, 0x20], [0xa0, 0x17f], [0x300, 0x36f], [0x370, 0x52f],
  [0x590, 0x6ff], [0x900, 0xdff], [0xe00, 0xeff], [0x1100, 0x11ff], [0x1f00, 0x20ff], [0x2000, 0x206f], [0x3000, 0x30ff],
  [0x4e00, 0x9fff], [0xac00, 0xd7a3], [0xf900, 0xffef], [0x10000, 0x1ffff], [0x1f300, 0x1faff], [0x20000, 0x2ffff], [0x80, 0x10ffff]];
const parts = [' ', '  ', '\n', '\r\n', '\t', '\n\n', ' \n ', "'s", "'LL", "'ve", "'\u017f", "don't", 'HTMLParser', 'camelCase', '//', '/', '...', '====',
  '<|endoftext|>', '\u00a0', '\u3000', '\ufeff', '\u0085', '12345', '3.14', 'https://a.b/c?d=e', '\u0301', 'The quick brown fox ', '{\n\t"a": [1, 2]\n}'];

function character() {
  const [low, high] = pick(ranges);
  const code = low + random(high - low + 1);
  return code >= 0xd800 && code < 0xe000 ? '?' : String.fromCodePoint(code);
}

// Words of one kind of character, known parts, runs, and pure noise, mixed.
function piece() {
  switch (random(5)) {
  case 0: return pick(parts);
  case 1: return pick(parts) .repeat(1 + random(random(8) === 0 ? 200 : 5));
  case 2: return character().repeat(1 + random(random(8) === 0 ? 300 : 4));
  case 3: { const [low, high] = pick(ranges); return Array.from({ length: 1 + random(12) }, () => { const code = low + random(high - low + 1); return code >= 0xd800 && code < 0xe000 ? ' ' : String.fromCodePoint(code); }).join(''); }
  default: return ' ' + Array.from({ length: 1 + random(random(20) === 0 ? 400 : 10) }, () => String.fromCharCode(97 + random(26))).join('');
  }
}

const text = () => Array.from({ length: 1 + random(60) }, piece).join('');

function ours(encoding, texts) {
  const input = [];
  for (const bytes of texts.map(t => Buffer.from(t, 'utf8'))) {
    const head = Buffer.alloc(4);
    head.writeUInt32LE(bytes.length);
    input.push(head, bytes);
  }
  const run = spawnSync(program, [encoding], { input: Buffer.concat(input), maxBuffer: 2 ** 30 });
  if (run.status !== 0) throw new Error(`${program}: ${run.stderr} ${run.signal ?? ''}`);
  const answers = [];
  for (let at = 0; at < run.stdout.length;) {
    const count = run.stdout.readUInt32LE(at);
    answers.push(Array.from({ length: count }, (_, i) => run.stdout.readUInt32LE(at + 4 + 4 * i)));
    at += 4 + 4 * count;
  }
  return answers;
}

const same = (a, b) => a.length === b.length && a.every((id, i) => id === b[i]);

function shrink(name, reference, failing) {
  let chars = Array.from(failing);
  for (let size = chars.length >> 1; size > 0; size >>= 1)
    for (let at = 0; at + size <= chars.length;) {
      const shorter = [...chars.slice(0, at), ...chars.slice(at + size)];
      if (same(ours(name, [shorter.join('')])[0], [...reference.encode_ordinary(shorter.join(''))])) at += size;
      else chars = shorter;
    }
  return chars.join('');
}

const encodings = ['cl100k_base', 'o200k_base'].map(name => [name, get_encoding(name)]);
const end = Date.now() + 1000 * Number(seconds);
let texts = 0, bytes = 0;
while (Date.now() < end) {
  const batch = Array.from({ length: 300 }, text);
  for (const [name, reference] of encodings) {
    const answers = ours(name, batch);
    batch.forEach((t, i) => {
      if (same(answers[i], [...reference.encode_ordinary(t)])) return;
      const least = shrink(name, reference, t);
      console.log(`${name}: ${JSON.stringify(least)}\n  ours      ${ours(name, [least])[0]}\n  tiktoken  ${[...reference.encode_ordinary(least)]}`);
      process.exit(1);
    });
  }
  texts += batch.length;
  bytes += batch.reduce((sum, t) => sum + Buffer.byteLength(t), 0);
}
console.log(`${texts} random texts, ${bytes} bytes: all ids as tiktoken's in both encodings (seed ${seedText})`);

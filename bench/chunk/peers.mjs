// SPDX-License-Identifier: MIT
// node peers.mjs PEER CORPUS [RUNS] [SECONDS]: one JSON line with MB/s of CPU time (median) of a JavaScript chunker over documents
// of at most 64 KiB, and how many of its chunks are above its limit by the official tokenizer's count.
// Without arguments: the names of the peers.
import fs from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(process.cwd() + "/");
const [name, corpus, runs = "5", seconds = "10"] = process.argv.slice(2);
const tokens = 512, overlap = 64;

const counters = {
  async "gpt-tokenizer"() {
    const { countTokens, encode, decode } = require("gpt-tokenizer/encoding/cl100k_base");
    const plain = { disallowedSpecial: new Set() };
    return { count: (text) => countTokens(text, plain), encode: (text) => encode(text, plain), decode };
  },
  async "ai-tokenizer"() {
    const { Tokenizer } = require("ai-tokenizer");
    const tokenizer = new Tokenizer(require("ai-tokenizer/encoding/cl100k_base"));
    return { count: (text) => tokenizer.count(text) };
  },
};

const langchain = (counter) => async () => {
  const { RecursiveCharacterTextSplitter } = require("@langchain/textsplitters");
  const { count } = await counters[counter]();
  const splitter = new RecursiveCharacterTextSplitter({ chunkSize: tokens, chunkOverlap: overlap, lengthFunction: count });
  return (text) => splitter.splitText(text);
};

const peers = {
  "langchain recursive, gpt-tokenizer": { make: langchain("gpt-tokenizer") },
  "langchain recursive, ai-tokenizer": { make: langchain("ai-tokenizer") },
  "llamaindex sentences, gpt-tokenizer": {
    async make() {
      const { SentenceSplitter } = require("@llamaindex/core/node-parser");
      const { encode, decode } = await counters["gpt-tokenizer"]();
      const tokenizer = { encode: (text) => Uint32Array.from(encode(text)), decode: (ids) => decode([...ids]) };
      const splitter = new SentenceSplitter({ chunkSize: tokens, chunkOverlap: overlap, tokenizer });
      return (text) => splitter.splitText(text);
    },
  },
  "llm-splitter paragraphs, gpt-tokenizer": {
    async make() {
      const { split } = await import(require.resolve("llm-splitter"));
      const { encode, decode } = await counters["gpt-tokenizer"]();
      const splitter = (text) => encode(text).map((id) => decode([id]));
      const options = { chunkSize: tokens, chunkOverlap: overlap, chunkStrategy: "paragraph", splitter };
      return (text) => split(text, options).map((chunk) => chunk.text);
    },
  },
  "chonkie bytes 4096 (WASM)": {
    bytes: 4096,
    async make() {
      const chonkie = await import(require.resolve("@chonkiejs/chunk"));
      await chonkie.init();
      return (bytes) => chonkie.chunk_offsets(bytes, { size: 4096 });
    },
  },
};

function documents(bytes) {
  const found = [];
  for (let start = 0; start < bytes.length; ) {
    let end = Math.min(start + 65536, bytes.length);
    if (end < bytes.length) {
      const newline = bytes.lastIndexOf(10, end - 1);
      if (newline >= start) end = newline + 1;
      else while (end > start && (bytes[end] & 0xc0) === 0x80) end--;
    }
    found.push(bytes.subarray(start, end));
    start = end;
  }
  return found;
}

async function pass(cut, texts) {
  const start = process.cpuUsage();
  let chunks = 0;
  for (const text of texts) chunks += (await cut(text)).length;
  const { user, system } = process.cpuUsage(start);
  return { chunks, seconds: (user + system) / 1e6 };
}

// As many documents as a pass can take in its share of the time.
async function choose(cut, texts, sizes) {
  await pass(cut, texts.slice(0, 2));
  const sample = await pass(cut, texts.slice(0, 4));
  const share = Number(seconds) / (Number(runs) + 2);
  const rate = sizes.slice(0, 4).reduce((sum, size) => sum + size, 0) / sample.seconds;
  let count = 0, bytes = 0;
  while (count < texts.length && (count < 4 || bytes + sizes[count] <= rate * share)) bytes += sizes[count++];
  return { texts: texts.slice(0, count), bytes };
}

// By encoding each chunk afresh with tiktoken.
async function check(cut, texts) {
  const encoder = require("tiktoken").get_encoding("cl100k_base");
  let over = 0, checked = 0, max = 0;
  for (const text of texts.slice(0, 40))
    for (const chunk of await cut(text)) {
      const count = encoder.encode_ordinary(chunk).length;
      checked++;
      over += count > tokens;
      max = Math.max(max, count);
    }
  return { checked, over_limit: over, max };
}

async function run() {
  const peer = peers[name];
  const cut = await peer.make();
  const parts = documents(fs.readFileSync(corpus));
  const all = peer.bytes ? parts : parts.map((part) => part.toString("utf8"));
  const { texts, bytes } = await choose(cut, all, parts.map((part) => part.length));
  const times = [];
  let chunks = 0;
  for (let i = 0; i < Number(runs); i++) {
    const one = await pass(cut, texts);
    chunks = one.chunks;
    times.push(one.seconds);
  }
  times.sort((a, b) => a - b);
  const quality = peer.bytes ? {} : await check(cut, texts);
  const mbps = +(bytes / 1e6 / times[times.length >> 1]).toFixed(2);
  console.log(JSON.stringify({ peer: name, corpus: corpus.replace(/.*\//, ""), bytes, docs: texts.length, chunks, mbps, ...quality }));
}

if (!name) console.log(Object.keys(peers).join("\n"));
else await run();

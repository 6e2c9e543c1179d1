// SPDX-License-Identifier: MIT
// peer.mjs NAME BASE_URL FILE: embeds the lines of FILE with one of the npm clients and prints
// {"texts":..,"wall_ms":..,"cpu_ms":..,"peak_kib":..}.  Time and CPU are those of the embedding
// alone; starting Node and reading the file are not counted.
import { readFileSync } from "node:fs";

const MODEL = "text-embedding-3-small";
const [name, baseURL, file] = process.argv.slice(2);
const texts = readFileSync(file, "utf8").split("\n").filter((line) => line.length > 0);
const key = "sk-bench";

// One text a request, twenty at a time: what a plain loop over gathers does.
async function openaiSingle() {
  const { default: OpenAI } = await import("openai");
  const client = new OpenAI({ apiKey: key, baseURL });
  return async () => {
    let count = 0;
    for (let i = 0; i < texts.length; i += 20) {
      const answers = await Promise.all(
        texts.slice(i, i + 20).map((input) => client.embeddings.create({ model: MODEL, input })));
      for (const answer of answers) count += answer.data[0].embedding.length === 1536;
    }
    return count;
  };
}

// Arrays as large as the API takes, one after the other.
async function openaiArrays() {
  const { default: OpenAI } = await import("openai");
  const client = new OpenAI({ apiKey: key, baseURL });
  return async () => {
    let count = 0;
    for (let i = 0; i < texts.length; i += 2048) {
      const answer = await client.embeddings.create({ model: MODEL, input: texts.slice(i, i + 2048) });
      count += answer.data.filter((item) => item.embedding.length === 1536).length;
    }
    return count;
  };
}

async function langchain() {
  const { OpenAIEmbeddings } = await import("@langchain/openai");
  const client = new OpenAIEmbeddings({ apiKey: key, model: MODEL, configuration: { baseURL } });
  return async () => {
    const vectors = await client.embedDocuments(texts);
    return vectors.filter((vector) => vector.length === 1536).length;
  };
}

// Gives vectors as numbers only.  `baseten-undecoded` asks for base64: the bytes arrive, and it makes empty vectors of them.
async function baseten(format = "float", length = 1536) {
  const { PerformanceClient } = (await import("@basetenlabs/performance-client")).default;
  const client = new PerformanceClient(baseURL.replace(/\/v1$/, ""), key);
  return async () => {
    const answer = await client.embed(texts, MODEL, format, null, null, 32, 128, 600);
    return answer.data.filter((item) => item.embedding.length === length).length;
  };
}

const peers = { "openai-single": openaiSingle, "openai-arrays": openaiArrays, langchain, baseten,
  "baseten-undecoded": () => baseten("base64", 0) };
const run = await peers[name]();
const before = process.cpuUsage();
const started = process.hrtime.bigint();
const count = await run();
const wall = Number(process.hrtime.bigint() - started) / 1e6;
const cpu = process.cpuUsage(before);
if (count !== texts.length) throw new Error(`${name}: ${count} vectors for ${texts.length} texts`);
console.log(JSON.stringify({
  texts: texts.length, wall_ms: wall, cpu_ms: (cpu.user + cpu.system) / 1e3,
  peak_kib: process.resourceUsage().maxRSS,
}));

// SPDX-License-Identifier: MIT
// texts.mjs COUNT BYTES [SEED]: that many different lines of English words, about BYTES each.
const [count, bytes, seed = 1] = process.argv.slice(2).map(Number);
const words = `the of and to in is was that for it with as his on be at by had are but from have an they which one you were her all she there would their we him been has when who will more no if out so said what up its about into than them can only other new some could time these two may then do first any my now such like our over man me even most made after also did many before must through back years where much your way well down should because each just those people how too little state good very make world still own see men work long get here between both life being under never day same another know while last might us great old year off come since against go came right used take three small large city company report market price water house school system number group problem question answer machine letter history science language music paper garden river mountain winter summer`.split(/\s+/);
let state = BigInt(seed);
function random() {
  state = (state + 0x9e3779b97f4a7c15n) & 0xffffffffffffffffn;
  let z = state;
  z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & 0xffffffffffffffffn;
  z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & 0xffffffffffffffffn;
  return Number((z ^ (z >> 31n)) >> 11n) / 2 ** 53;
}
const out = [];
for (let i = 0; i < count; i++) {
  let text = `Record ${i}:`;
  const length = bytes * (0.75 + random() / 2);
  while (text.length < length) {
    text += " " + words[Math.floor(words.length * random() ** 2)];
    if (random() < 0.07) text += ".";
  }
  out.push(text);
}
process.stdout.write(out.join("\n") + "\n");

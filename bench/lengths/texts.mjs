// SPDX-License-Identifier: MIT
// texts.mjs SCRIPT TOKENS COUNT: that many different lines of about TOKENS tokens each.
// SCRIPT is english, chinese, code or mixed.  How many units make a token was counted once with `embed tokens`.
const [script, tokens, count] = [process.argv[2], ...process.argv.slice(3).map(Number)];

const english = `time people way day man thing woman life child world school state family student group country problem hand part place case week company system program question work government number night point home water room mother area money story fact month lot right study book eye job word business issue side kind head house service friend father power hour game line end member law car city community name president team minute idea kid body information back parent face others level office door health person art war history party result change morning reason research girl guy moment air teacher force education`.split(" ");
const chinese = "的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会可主发年动同工也能下过子说产种面而方后多定行学法所民得经十三之进着等部度家电力里如水化高自二理起小物现实加量都两体制机当使点从业本去把性好应开它合还因由其些然前外天政四日那社义事平形相全表间样与关各重新线内数正心反你明看原又么利比或但质气第向道命此变条只没结解问意建月公无系军很情者最立代想已通并提直题党程展五果料象员革位入常文总次品式活设及管特件长求老头基资边流路级少图山统接知较将组见计别她手角期根论运农指几九区强放决西被干做必战先回则任取据处队南给色光门即保治北造百规热领七海口东导器压志世金增争济阶油思术极交受联什认六共权收证改清己美再采转更单风切打白教速花带安场身车例真务具万每目至达走积示议声报斗完类八离华名确才科张信马节话米整空元况今集温传土许步群广石记需段研界拉林律叫且究观越织装影算低持音众书布复容儿须际商非验连断深难近矿千周委素技备半办青省列习响约支般史感劳便团往酸历市克何除消构府称太准精值号率族维划选标写存候毛亲快效斯院查江型眼王按格养易置派层片始却专状育厂京识适属圆包火住调满县局照参红细引听该铁价严";
const code = ["for (int i = 0; i < n; i++) {", "return value;", "if (buffer == NULL)", "const char *name = argv[1];", "size_t len = strlen(text);", "x += y * 2;", "def read(self, path):", "print(f\"{key}: {value}\")", "while (at < end) at++;", "SELECT id, name FROM users WHERE id = ?;", "import { readFile } from \"node:fs\";", "struct point { float x, y; };", "}", "// see below", "assert(count > 0);", "raise ValueError(\"bad input\")"];
const mixed = ["Привет, как дела", "こんにちは世界", "안녕하세요 여러분", "مرحبا بالعالم", "שלום עולם", "Γειά σου Κόσμε", "नमस्ते दुनिया", "สวัสดีชาวโลก", "hello there", "你好世界", "👩‍👩‍👧‍👦", "🇩🇪🚀", "naïve café", "Straße über Köln", "x² + y² = z²", "foo_bar(42)"];

const kinds = {
  english: { unit: () => " " + pick(english), perToken: 1 },
  chinese: { unit: () => pick([...chinese]), perToken: 0.77 },
  code: { unit: () => " " + pick(code), perToken: 0.134 },
  mixed: { unit: () => " " + pick(mixed), perToken: 0.116 },
};
let state = BigInt(tokens * 7919 + script.length);
function random() {
  state = (state + 0x9e3779b97f4a7c15n) & 0xffffffffffffffffn;
  let z = state;
  z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & 0xffffffffffffffffn;
  z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & 0xffffffffffffffffn;
  return Number((z ^ (z >> 31n)) >> 11n) / 2 ** 53;
}
function pick(list) {
  return list[Math.floor(list.length * random())];
}
// Short texts run out of different words: a number makes each its own.
function text(i) {
  if (tokens <= 2) return script === "chinese" ? [...chinese][i % 480] + (i < 480 ? "" : i) : String(i);
  let line = "";
  const units = Math.max(1, Math.round((tokens - 3) * kinds[script].perToken));
  for (let n = 0; n < units; n++) line += kinds[script].unit();
  return `${i}${line}`;
}
const out = [];
for (let i = 0; i < count; i++) out.push(text(i));
process.stdout.write(out.join("\n") + "\n");

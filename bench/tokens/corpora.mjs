// SPDX-License-Identifier: MIT
// node corpora.mjs FOLDER: puts the corpora together from FOLDER/unpacked and FOLDER/npm, and makes the worst cases.
// Order is fixed (names sorted, a stride through each source, sources in proportion), so equal packages give equal bytes.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import zlib from 'node:zlib';

const folder = process.argv[2];
const debian = name => path.join(folder, 'unpacked', name);
const npm = path.join(folder, 'npm');
const CORPUS_BYTES = 20_000_000;
const strict = new TextDecoder('utf-8', { fatal: true });

function filesIn(directory, accepts, found = []) {
  if (!fs.existsSync(directory)) return found;
  const byName = (a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
  for (const entry of fs.readdirSync(directory, { withFileTypes: true }).sort(byName)) {
    const file = path.join(directory, entry.name);
    if (entry.isDirectory()) filesIn(file, accepts, found);
    else if (entry.isFile() && accepts(file)) found.push(file);
  }
  return found;
}
const ending = (...ends) => file => ends.some(end => file.endsWith(end));

// ---- From a file to plain text ----

function textOf(file) {
  const bytes = fs.readFileSync(file);
  if (file.endsWith('.mo')) return translations(bytes);
  try {
    return strict.decode(file.endsWith('.gz') ? zlib.gunzipSync(bytes) : bytes).replace(/^\uFEFF/, '');
  } catch {
    return null; // not UTF-8
  }
}

// The translated strings of a GNU message catalogue, one a line.
function translations(bytes) {
  if (bytes.readUInt32LE(0) !== 0x950412de) return '';
  const count = bytes.readUInt32LE(8), table = bytes.readUInt32LE(16), lines = [];
  for (let i = 0; i < count; i++) {
    const len = bytes.readUInt32LE(table + 8 * i), at = bytes.readUInt32LE(table + 8 * i + 4);
    const line = bytes.toString('utf8', at, at + len).replace(/\0/g, '\n');
    if (len > 20 && !line.startsWith('Project-Id') && /[^\x00-\x7f]/.test(line)) lines.push(line);
  }
  return lines.join('\n');
}

const entities = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: '\u00a0', copy: '\u00a9' };
function fromHtml(text) {
  return text.replace(/<(script|style|head)\b[\s\S]*?<\/\1>/gi, '').replace(/<!--[\s\S]*?-->/g, '')
    .replace(/<(br|\/p|\/div|\/li|\/h[1-6]|\/tr|\/pre)\b[^>]*>/gi, '\n').replace(/<[^>]+>/g, '')
    .replace(/&#x([0-9a-f]+);/gi, (_, hex) => String.fromCodePoint(parseInt(hex, 16)))
    .replace(/&#(\d+);/g, (_, number) => String.fromCodePoint(+number)).replace(/&([a-z]+);/gi, (all, name) => entities[name] ?? all)
    .replace(/[ \t]+\n/g, '\n').replace(/\n{3,}/g, '\n\n').trim() + '\n';
}

function fromManPage(text) {
  const lines = [];
  for (const line of text.split('\n')) {
    if (/^[.']\\"/.test(line)) continue;
    const rest = line.replace(/^\.\w+\s*/, '').replace(/"/g, '');
    if (/^\.(SH|SS|TH|Sh|Ss)\b/.test(line)) lines.push('\n' + rest + '\n');
    else if (/^\.(PP|P|LP|Pp|TP|IP|sp|br|RS|RE)\b/.test(line)) lines.push('');
    else if (/^\.(B|I|BR|IR|RB|RI|BI|IB|SM|SB|Nm|Fl|Ar)\b/.test(line)) lines.push(rest);
    else if (!/^[.']/.test(line)) lines.push(line);
  }
  return lines.join('\n')
    .replace(/\\f[BIRP]|\\f\[[^\]]*\]|\\f\(..|\\s[+-]?\d/g, '').replace(/\\\(em/g, '\u2014').replace(/\\\(bu/g, '\u2022')
    .replace(/\\\[u([0-9A-F]{4,5})\]/g, (_, hex) => String.fromCodePoint(parseInt(hex, 16)))
    .replace(/\\-/g, '-').replace(/\\[&|^ ]/g, '').replace(/\\e/g, '\\').replace(/\\\((..)/g, '').replace(/\n{3,}/g, '\n\n').trim() + '\n';
}

// ---- From sources to a corpus ----

// Documents of a source until its share is reached; a stride spreads them over the whole tree.
function take({ files, share, convert = text => text, documentMax = 60_000 }) {
  const documents = [], seen = new Uint8Array(files.length), stride = 97 % Math.max(files.length, 1) || 1;
  let bytes = 0;
  for (let taken = 0, i = 0; taken < files.length && bytes < share; taken++, i += stride) {
    while (seen[i % files.length]) i++;
    seen[i % files.length] = 1;
    let text = textOf(files[i % files.length]);
    if (text === null) continue;
    text = convert(text);
    if (text.length < 200) continue;
    if (text.length > documentMax) text = text.slice(0, documentMax).replace(/[\ud800-\udbff]$/, '');
    documents.push(Buffer.from(text, 'utf8'));
    bytes += documents.at(-1).length;
  }
  return { documents, bytes, next: 0, used: 0 };
}

function corpus(name, sources) {
  const taken = sources.map(take), parts = [], gap = Buffer.from('\n\n');
  for (let bytes = 0;;) {
    let least = null;
    for (const source of taken)
      if (source.next < source.documents.length && (least === null || source.used / source.bytes < least.used / least.bytes)) least = source;
    if (least === null) break;
    const document = least.documents[least.next++];
    least.used += document.length;
    bytes += document.length + gap.length;
    if (bytes > CORPUS_BYTES) break;
    parts.push(document, gap);
  }
  fs.writeFileSync(path.join(folder, name + '.txt'), Buffer.concat(parts));
}

const guide = language => filesIn(debian('installation-guide-amd64/usr/share/doc/installation-guide-amd64/' + language), ending('.html'));
corpus('english', [
  { files: filesIn(debian('linux-doc-6.1/usr/share/doc/linux-doc-6.1/Documentation'), f => /\.(rst|txt)\.gz$/.test(f) && !/translations/.test(f)), share: 11_600_000 },
  { files: filesIn(debian('python3.11-doc'), ending('.rst.txt')), share: 4_200_000 },
  { files: filesIn(debian('fortunes/usr/share/games/fortunes'), f => !/\.(dat|u8)$/.test(f) && !/\/off\//.test(f)), share: 2_400_000,
    convert: text => text.replace(/\n%\n/g, '\n\n'), documentMax: 100_000 },
  { files: filesIn(npm, f => /\.(md|markdown)$/i.test(f)), share: 4_000_000 },
  { files: [...guide('en'), ...filesIn(debian('debian-reference-en'), ending('.html'))], share: 2_500_000, convert: fromHtml },
]);

const large = new Set(['ja', 'ja-dev', 'zh', 'ru']);
const html = (name, share, documentMax) => ({ files: filesIn(debian(name), ending('.html')), share, convert: fromHtml, documentMax });
corpus('multilingual', [
  ...['ja', 'ja-dev', 'zh', 'ru', 'de', 'fr', 'es', 'pl', 'pt-br', 'el', 'tr', 'uk', 'vi', 'cs', 'ro', 'sr', 'sv', 'it', 'hu', 'fi'].map(language => (
    { files: filesIn(debian(`manpages-${language}/usr/share/man`), ending('.gz')), share: large.has(language) ? 1_300_000 : 450_000, convert: fromManPage })),
  html('debian-reference-ja', 700_000), html('debian-reference-zh-cn', 700_000), html('debian-reference-zh-tw', 700_000),
  { files: filesIn(debian('debian-faq-ko'), f => /\.html(\.gz)?$/.test(f)), share: 400_000, convert: fromHtml },
  { files: guide('ko'), share: 800_000, convert: fromHtml },
  html('libreoffice-help-ko', 1_000_000, 20_000), html('libreoffice-help-ja', 700_000, 20_000),
  html('libreoffice-help-zh-cn', 900_000, 20_000), html('libreoffice-help-hi', 900_000, 20_000),
  ...['ar', 'hi', 'th', 'ko', 'he', 'fa', 'ta', 'bn', 'ka', 'am', 'km', 'ne', 'te', 'zh-cn'].map(language => (
    { files: filesIn(debian('libreoffice-l10n-' + language), ending('.mo')), share: 330_000, documentMax: 120_000 })),
]);

// Java's sources stand in an archive.
const java = debian('openjdk-17-source/java');
if (!fs.existsSync(java)) {
  const archive = filesIn(debian('openjdk-17-source'), ending('src.zip'))[0];
  fs.mkdirSync(java);
  execFileSync('python3', ['-c', `import sys, zipfile
archive = zipfile.ZipFile(sys.argv[1])
for name in archive.namelist():
    if name.startswith("java.base/java/") and name.endswith(".java"): archive.extract(name, sys.argv[2])`, archive, java]);
}
corpus('code', [
  { files: filesIn(debian('golang-1.19-src'), ending('.go')), share: 3_300_000, documentMax: 80_000 },
  { files: filesIn(debian('rust-src'), ending('.rs')), share: 3_300_000, documentMax: 80_000 },
  { files: filesIn(debian('libpython3.11-stdlib'), ending('.py')), share: 3_000_000, documentMax: 80_000 },
  { files: filesIn(debian('libboost1.74-dev'), ending('.hpp')), share: 2_200_000 },
  { files: filesIn(debian('linux-headers-common'), ending('.h')), share: 2_600_000 },
  { files: filesIn(java, ending('.java')), share: 2_800_000, documentMax: 80_000 },
  { files: filesIn(npm, f => /\.(js|mjs|cjs|ts|css|scss)$/.test(f) && !/\.min\./.test(f)), share: 2_600_000, documentMax: 80_000 },
  { files: [...filesIn(debian('iso-codes/usr/share/iso-codes/json'), ending('.json')), ...filesIn(path.join(npm, 'mdn-data'), ending('.json'))],
    share: 1_200_000, documentMax: 200_000 },
]);

// ---- Worst cases: 1,000,000 bytes each ----

let state = 777;
function random(bound) {
  state = (Math.imul(state, 1103515245) + 12345) >>> 0;
  return (state >>> 8) % bound;
}
const among = (alphabet, count = 1) => Array.from({ length: count }, () => alphabet[random(alphabet.length)]).join('');
const letters = 'abcdefghijklmnopqrstuvwxyz';
function noSurrogate() {
  for (;;) {
    const code = 0x80 + random(0xff00);
    if (code < 0xd800 || code >= 0xe000) return String.fromCodePoint(code);
  }
}
const worst = {
  a: 'a', space: ' ', newline: '\n', spacenl: ' \n', dash: '-', emoji: '\u{1F600}', han: '\u7684', quote_s: "'s", xyzq: 'xyzq', zero: '0',
  combining: '\u0301', rare: '\u{10400}', nbsp: '\u00a0',
  random_lower_unbroken: () => among(letters), random_words: () => among(letters, 3 + random(12)) + ' ',
  random_base64: () => among('ABCDEFGHIJKLMNOPQRSTUVWXYZ' + letters + '0123456789+/'), random_hex: () => among('0123456789abcdef'),
  random_punct: () => among('!@#$%^&*()_+-=[]{}|;:,.<>/?'), random_digits: () => among('0123456789'),
  random_han: () => String.fromCodePoint(0x4e00 + random(0x5000)), random_bmp: noSurrogate,
  zalgo: () => among('abcdefgh') + Array.from({ length: 4 }, () => String.fromCodePoint(0x300 + random(0x6f))).join(''),
  ws_mix: () => among(' \t\n\r\u000b\f'),
};
fs.mkdirSync(path.join(folder, 'worst'), { recursive: true });
for (const [name, unit] of Object.entries(worst)) {
  const parts = [];
  for (let bytes = 0; bytes < 1_000_000; bytes += parts.at(-1).length) parts.push(Buffer.from(typeof unit === 'string' ? unit : unit()));
  fs.writeFileSync(path.join(folder, 'worst', name + '.txt'), Buffer.concat(parts));
}

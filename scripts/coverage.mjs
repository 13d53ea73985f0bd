/**
 * Prints how much of src/ a run covered, the least covered file first: `coverage.mjs DIRECTORY`, where DIRECTORY is what
 * NODE_V8_COVERAGE named during the run. Every process and thread counts. Lines are those of the built files that hold
 * code. (Node 20's own `--experimental-test-coverage` fails on some of our files.)
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const ROOT = fileURLToPath(new URL('../dist/src/', import.meta.url));
const ROOT_URL = pathToFileURL(ROOT).href;

/** @typedef {{ text: string, hit: Uint8Array, functions: Map<number, boolean> }} Script */
/** @type {Map<string, Script>} */
const scripts = new Map();

const built = readdirSync(ROOT, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.js'));
for (const file of built) {
  const text = readFileSync(join(ROOT, file), 'utf8');
  scripts.set(join(ROOT, file), { text, hit: new Uint8Array(text.length), functions: new Map() });
}

for (const file of readdirSync(process.argv[2])) {
  const { result } = JSON.parse(readFileSync(join(process.argv[2], file), 'utf8'));
  for (const { url, functions } of result) {
    const script = url.startsWith(ROOT_URL) ? scripts.get(fileURLToPath(url)) : undefined;
    if (script !== undefined) add(script, functions);
  }
}

/** Ranges of one run are nested, the outer ones first: the innermost decides. */
function add({ hit, functions: known }, functions) {
  const now = new Uint8Array(hit.length);
  for (const { ranges } of functions) {
    for (const { startOffset, endOffset, count } of ranges)
      now.fill(count > 0 ? 1 : 0, startOffset, endOffset);
    const { startOffset, count } = ranges[0];
    known.set(startOffset, known.get(startOffset) || count > 0);
  }
  for (let i = 0; i < now.length; i++) hit[i] |= now[i];
}

function measured([path, { text, hit, functions }]) {
  let lines = 0;
  let covered = 0;
  let start = 0;
  for (const line of text.split('\n')) {
    const first = line.search(/\S/);
    if (first >= 0 && !/^\s*(\/\/|\/?\*|[\])};,]+$|export \{\};)/.test(line)) {
      lines++;
      covered += hit[start + first];
    }
    start += line.length + 1;
  }
  const called = [...functions.values()].filter(Boolean).length;
  return { path: `src/${relative(ROOT, path)}`, lines, covered, functions: functions.size, called };
}

function row({ path, lines, covered, functions, called }) {
  const percent = (part, all, width) =>
    `${all === 0 ? 100 : Math.floor((100 * part) / all)}%`.padStart(width);
  return `${path.padEnd(48)}${percent(covered, lines, 6)}${percent(called, functions, 11)}`;
}

const rows = [...scripts].map(measured).filter(({ lines }) => lines > 0);
rows.sort((a, b) => a.covered / a.lines - b.covered / b.lines);
const sum = (key) => rows.reduce((all, each) => all + each[key], 0);
const total = { path: 'all of src/', lines: sum('lines'), covered: sum('covered') };
console.log(`${'coverage'.padEnd(48)} lines  functions`);
for (const each of rows) console.log(row(each));
console.log(row({ ...total, functions: sum('functions'), called: sum('called') }));

/** The layer rules (src/rootfs/README.md) and the cases that hold them speak of each other. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { allCases } from '../support/case.js';
import { PROJECT } from '../support/project.js';

const TEXT = readFileSync(join(PROJECT, 'src/rootfs/README.md'), 'utf8');

const SPECIFICATION = readFileSync(join(PROJECT, 'test/cases/SPECIFICATION.md'), 'utf8');

/** The document's rules, by number, each with its sentences. */
const RULES = new Map(
  TEXT.split(/^##+ /m)
    .map((section) => [/^Rule (\d+): /.exec(section)?.[1], section] as const)
    .filter(([number]) => number !== undefined)
    .map(([number, section]) => [Number(number), section.split(/^- /m).slice(1)]),
);

/** Rows of the table of what tools get wrong, without its head. */
const TABLE = TEXT.split('\n').filter((line) => /^\| .* \|$/.test(line) && !line.startsWith('| case '));

/** The cases that some text names, as `08-whiteouts/file`. */
const named = (text: string) =>
  [...text.matchAll(/`((?:\d\d-[a-z-]+|often-wrong)\/[^`]+)`/g)].map((match) => match[1]!);

const CASES = new Map(allCases().map((one) => [one.name, one]));

test('rules are numbered from 1 without a gap', () => {
  assert.deepEqual(
    [...RULES.keys()],
    Array.from({ length: 12 }, (_, index) => index + 1),
  );
});

test('each rule says what it rests on', () => {
  for (const section of TEXT.split(/^### /m).slice(1)) assert.match(section, /^Rests on: /m);
});

test('a case cites rules that exist, the one of its folder among them, or the table', () => {
  for (const [name, { title, rules }] of CASES) {
    if (name.startsWith('often-wrong/')) assert.match(title, /^table, /, name);
    else assert.ok(rules.includes(Number.parseInt(name, 10)), `${name}: ${title}`);
    for (const number of rules) assert.ok(RULES.has(number), `${name}: there is no rule ${number}`);
  }
});

test('a case quotes a sentence of the specification, or says that it is silent and what decides', () => {
  const sentences = SPECIFICATION.split(/^## /m).flatMap((section) => {
    const [anchor, ...lines] = section.split('\n');
    return lines.filter((line) => line.startsWith('- ')).map((line) => `${anchor}: ${line.slice(2)}`);
  });
  const quoted = new Set<string>();
  for (const [name, { spec }] of CASES) {
    assert.ok(spec.sentence?.length > 20, name);
    if (spec.section === 'silent') continue;
    quoted.add(`${spec.section}: ${spec.sentence}`);
    assert.ok(sentences.includes(`${spec.section}: ${spec.sentence}`), `${name}: ${spec.sentence}`);
  }
  assert.deepEqual([...quoted].toSorted(), sentences.toSorted(), 'each sentence has a case');
});

test('a report is a repository and a number', () => {
  const reports = [...CASES.values()].flatMap(({ reports }) => reports);
  assert.ok(reports.length > 30);
  for (const report of reports) assert.match(report, /^[\w.-]+\/[\w.-]+#\d+$/);
});

for (const [number, sentences] of RULES) {
  test(`rule ${number}: the cases it names exist and cite it`, () => {
    for (const sentence of sentences)
      assert.ok(
        named(sentence).length > 0 || /\[[\w-]+\.test\.ts\]\(/.test(sentence),
        `nothing holds: ${sentence}`,
      );
    const cases = sentences.flatMap(named);
    assert.ok(cases.length > 0, 'no case holds it');
    for (const name of cases) {
      assert.ok(CASES.has(name), `there is no case ${name}`);
      assert.ok(CASES.get(name)!.rules.includes(number), `${name}: ${CASES.get(name)!.title}`);
    }
  });
}

test('the table has a row for each case of often-wrong, and the other way round', () => {
  const rows = TABLE.map((row) => named(row).join());
  const cases = [...CASES.keys()].filter((name) => name.startsWith('often-wrong/'));
  assert.deepEqual(rows.toSorted(), cases.toSorted());
});

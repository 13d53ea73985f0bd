import type { Case } from '../support/case.js';
import type { Score } from './run-adapter.js';
import type { Result } from './run-case.js';
import type { Scores } from './scoreboard.js';

const HEAD = `# How tools turn layers into a tree

\`scripts/conformance --scoreboard\` has written this page from real runs: each [case](README.md) through each tool that was there. A number is how many
cases of a [rule](../../src/rootfs/README.md) give the tree that the case has. A difference is no verdict: where the specification is silent, tools may differ,
and the page says what the case rests on. The time of a directory that no layer describes is not compared, nor are
mode and owner of such a root. *But for times* counts the cases that pass when no times are compared at all.

`;

/** The scoreboard, as Markdown. */
export function page({ scores, absent }: Scores, cases: readonly Case[], only: readonly string[]): string {
  const left = absent.map(([name, need]) => `${name} (needs ${need})`).join(', ');
  return [
    HEAD,
    only.length === 0
      ? ''
      : `This run had the ${cases.length} cases with ${only.join(' or ')} in their names.\n\n`,
    table(scores, cases),
    left === '' ? '' : `\nNot there: ${left}.\n`,
    `\n## Where they differ\n\nEach case that some tool sees otherwise, the sentence that it rests on, and the first difference.\n`,
    ...cases.map((one) => differences(scores, one)),
  ].join('');
}

/** A row a tool; a column for cases that rest on a sentence, one for those where the specification is silent, and one a rule. */
function table(scores: readonly Score[], cases: readonly Case[]): string {
  const rules = [...new Set(cases.flatMap(({ rules }) => rules))].sort((a, b) => a - b);
  type Column = readonly [name: string, has: (one: Case) => boolean, passes?: (result: Result) => boolean];
  const columns: Column[] = [
    ['all', () => true],
    [
      'but for times',
      () => true,
      ({ failure, butForTimes }) => failure === undefined || butForTimes === true,
    ],
    ['specified', ({ spec }) => spec.section !== 'silent'],
    ['silent', ({ spec }) => spec.section === 'silent'],
    ...rules.map((rule): Column => [String(rule), (one) => one.rules.includes(rule)]),
  ];
  const counts = columns.map(([, has]) => cases.filter(has).length);
  const row = (cells: readonly (string | number)[]) => `| ${cells.join(' | ')} |\n`;
  return [
    row(['tool', ...columns.map(([name]) => (/\d/.test(name) ? `rule ${name}` : name))]),
    row(['---', ...columns.map(() => '--:')]),
    row(['of', ...counts]),
    ...scores.map(({ name, version, results }) =>
      row([
        `${name} ${version}`,
        ...columns.map(
          ([, has, passes = ({ failure }) => failure === undefined]) =>
            results.filter((result) => has(result.one) && passes(result)).length,
        ),
      ]),
    ),
  ].join('');
}

/** Tools that see a case in the same other way share a line. */
function differences(scores: readonly Score[], one: Case): string {
  const groups = new Map<string, string[]>();
  for (const { name, results } of scores) {
    const failure = results.find((result) => result.one === one)?.failure;
    if (failure !== undefined) groups.set(told(failure), [...(groups.get(told(failure)) ?? []), name]);
  }
  if (groups.size === 0) return '';
  const { section, sentence } = one.spec;
  const rest =
    section === 'silent' ? `The specification is silent: ${sentence}.` : `“${sentence}” (${section})`;
  const lines = [...groups].map(([failure, names]) => `- ${names.join('; ')}: ${failure}\n`);
  return `\n### ${one.name}\n\n${one.title}. ${rest}\n\n${lines.join('')}`;
}

/** A failure without what changes from run to run. */
function told(failure: string): string {
  const text = failure
    .replace(/time is (\d+)\.\d+/, (all, seconds: string) =>
      Number(seconds) > NOW - 86_400 ? 'time is now' : all,
    )
    .replace(/time="[^"]*" level=\w+ msg=/, '')
    .replace(/[0-9a-f]{64}/g, (digest) => `${digest.slice(0, 8)}…`)
    .replace(/\/\S*\/layer-suite-\w+\/tool-\d+/g, '');
  return `\`${text.replaceAll('`', "'")}\``;
}

const NOW = Date.now() / 1000;

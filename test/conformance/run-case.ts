import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Case } from '../support/case.js';
import type { Row } from '../support/listing.js';
import { alone } from './alone.js';
import { type Comparison, type Found, firstDifference } from './compare.js';
import { type Form, ociFilesOf, referenceOf, writeImage } from './forms.js';
import type { OutputForm } from './options.js';
import { leadsOut, lookAround } from './outside.js';
import { pushImage } from './push.js';
import { readResult } from './result.js';
import { type Ended, quoted, shell } from './shell.js';

/** A tool under test. */
export interface Tool extends Comparison {
  /** A shell line with `{image}`, `{rootfs}`, `{bundle}` and `{reference}` in it. */
  readonly run: string;
  readonly after?: string | undefined;
  readonly output: OutputForm;
  readonly registry?: string | undefined;
  /** Seconds. */
  readonly timeout: number;
  readonly env?: Readonly<Record<string, string>>;
  /** Names that the tool adds to every tree, which are not looked at. */
  readonly adds?: ((path: string) => boolean) | undefined;
  /** Names whose time it changes by that. */
  readonly touches?: readonly string[] | undefined;
}

export interface Result {
  readonly one: Case;
  readonly form: Form;
  /** Why it fails, in one line; undefined where it passes. */
  readonly failure: string | undefined;
  /** It passes where times are not compared. */
  readonly butForTimes?: boolean;
  readonly seconds: number;
}

/** Runs one case through a tool, in a fresh directory below `place`, which is gone afterwards. */
export async function runCase(one: Case, form: Form, tool: Tool, place: string): Promise<Result> {
  const started = performance.now();
  mkdirSync(place);
  try {
    // What leads out of the place is looked for on all the machine: two at a time would find what the other wrote.
    const work = () => verdictOf(one, form, tool, place);
    const verdict = await (leadsOut(one, join(place, 'out/rootfs'), place) ? alone(work) : work());
    return { one, form, ...verdict, seconds: (performance.now() - started) / 1000 };
  } finally {
    await removeTree(place);
  }
}

type Verdict = Pick<Result, 'failure' | 'butForTimes'>;

async function verdictOf(one: Case, form: Form, tool: Tool, place: string): Promise<Verdict> {
  const [stored, bundle, cwd] = ['image', 'out', 'cwd'].map((name) => join(place, name)) as [
    string,
    string,
    string,
  ];
  const rootfs = join(bundle, 'rootfs');
  let image = stored;
  if (tool.registry === undefined) writeImage(one, form, stored);
  else image = await pushImage(tool.registry, referenceOf(one), ociFilesOf(one));
  for (const path of [bundle, cwd]) mkdirSync(path);
  const around = lookAround(one, rootfs, place, () => tool.run.includes('{bundle}'));
  const words: Record<string, string> = { image, rootfs, bundle, reference: referenceOf(one) };
  const filled = (line: string) =>
    line.replace(/\{(image|rootfs|bundle|reference)\}/g, (_, word: string) => quoted(words[word]!));
  const options = { cwd, timeout: tool.timeout, ...(tool.env && { env: tool.env }) };
  const ended = await shell(filled(tool.run), options);
  try {
    const outside = around.changed();
    if (outside !== undefined) return { failure: `outside of the root: ${outside}` };
    return judge(one, ended, tool, rootfs);
  } finally {
    if (tool.after !== undefined) await shell(filled(tool.after), options);
  }
}

function judge(one: Case, ended: Ended, tool: Tool, rootfs: string): Verdict {
  if (ended.timedOut) return { failure: `the command did not end within ${tool.timeout} s` };
  if (one.error !== undefined)
    return { failure: ended.code === 0 ? 'the command takes the layers, which are wrong' : undefined };
  if (ended.code !== 0)
    return {
      failure: `the command fails (${ended.code === undefined ? 'by a signal' : `exit ${ended.code}`}): ${lastLine(ended.said.replaceAll(dirname(dirname(rootfs)), ''))}`,
    };
  try {
    const { rows, lacks } = readResult(rootfs, tool.output);
    return compared(one.tree!, { rows: counted(rows, one.tree!, tool), lacks }, tool);
  } catch (error) {
    return { failure: (error as Error).message.split('\n')[0]! };
  }
}

/** Compares twice where the first difference may hide that only times differ. */
export function compared(expected: readonly Row[], found: Found, comparison: Comparison): Verdict {
  const failure = firstDifference(expected, found, comparison);
  if (failure === undefined) return { failure };
  const ignore = new Set([...comparison.ignore, 'time' as const]);
  return { failure, butForTimes: firstDifference(expected, found, { ...comparison, ignore }) === undefined };
}

/** The rows without what the tool adds to every tree. */
function counted(
  rows: readonly Row[],
  tree: readonly Row[],
  { adds, touches = [], output }: Tool,
): readonly Row[] {
  const wanted = new Map(tree.map((row) => [row.path, row]));
  // A tar may leave its root out.
  const whole =
    output === 'tar' && !rows.some(({ path }) => path === '.') ? [wanted.get('.')!, ...rows] : rows;
  return whole
    .filter(({ path }) => wanted.has(path) || !adds?.(path))
    .map((row) => (touches.includes(row.path) ? { ...row, mtime: wanted.get(row.path)!.mtime } : row));
}

/** What a command said last, without what would break a line. */
function lastLine(said: string): string {
  const line =
    said
      .trimEnd()
      .replace(/\s+Node\.js v[\d.]+$/, '')
      .split('\n')
      .at(-1) ?? '';
  return (
    line
      .replace(/[^\x20-\x7e]+/g, ' ')
      .trim()
      .slice(-300) || 'it says nothing'
  );
}

/** Also where there are directories in it that a plain user cannot go into. */
async function removeTree(path: string): Promise<void> {
  try {
    rmSync(path, { recursive: true, force: true });
  } catch {
    await shell(`chmod -R u+rwx ${quoted(path)}`, { cwd: '/', timeout: 60 });
    chmodSync(path, 0o755);
    rmSync(path, { recursive: true, force: true });
  }
}

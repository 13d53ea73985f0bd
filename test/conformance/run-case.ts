import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Case } from '../support/case.js';
import { type Comparison, firstDifference } from './compare.js';
import { type Form, ociFilesOf, referenceOf, writeImage } from './forms.js';
import type { OutputForm } from './options.js';
import { lookAround } from './outside.js';
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
  readonly adds?: (path: string) => boolean;
}

export interface Result {
  readonly one: Case;
  readonly form: Form;
  /** Why it fails, in one line; undefined where it passes. */
  readonly failure: string | undefined;
  readonly seconds: number;
}

/** Runs one case through a tool, in a fresh directory below `place`, which is gone afterwards. */
export async function runCase(one: Case, form: Form, tool: Tool, place: string): Promise<Result> {
  const started = performance.now();
  mkdirSync(place);
  try {
    const failure = await failureOf(one, form, tool, place);
    return { one, form, failure, seconds: (performance.now() - started) / 1000 };
  } finally {
    await removeTree(place);
  }
}

async function failureOf(one: Case, form: Form, tool: Tool, place: string): Promise<string | undefined> {
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
    if (outside !== undefined) return `outside of the root: ${outside}`;
    return verdict(one, ended, tool, rootfs);
  } finally {
    if (tool.after !== undefined) await shell(filled(tool.after), options);
  }
}

function verdict(one: Case, ended: Ended, tool: Tool, rootfs: string): string | undefined {
  if (ended.timedOut) return `the command did not end within ${tool.timeout} s`;
  if (one.error !== undefined)
    return ended.code === 0 ? 'the command takes the layers, which are wrong' : undefined;
  if (ended.code !== 0)
    return `the command fails (${ended.code === undefined ? 'by a signal' : `exit ${ended.code}`}): ${lastLine(ended.said)}`;
  try {
    const { rows, lacks } = readResult(rootfs, tool.output);
    const { adds } = tool;
    const names = new Set(one.tree!.map(({ path }) => path));
    const counted = adds === undefined ? rows : rows.filter(({ path }) => names.has(path) || !adds(path));
    return firstDifference(one.tree!, { rows: counted, lacks }, tool);
  } catch (error) {
    return (error as Error).message.split('\n')[0]!;
  }
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

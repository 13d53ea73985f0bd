import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Case } from '../support/case.js';
import type { TestSink } from '../support/sinks.js';
import { type Adapter, Cleanup, type Command } from './adapters/adapter.js';
import { writeImage } from './forms.js';
import { compared, type Result } from './run-case.js';
import { runSuite } from './run-suite.js';
import { shell } from './shell.js';

/** What a tool made of the cases. */
export interface Score {
  readonly name: string;
  readonly version: string;
  readonly results: readonly Result[];
}

const EXACTLY = { ignore: new Set<never>(), strict: false };

/** Runs the cases through a tool of this machine, one after the other, below the empty directory `place`. */
export async function runAdapter(
  adapter: Adapter,
  cases: readonly Case[],
  { place, timeout, signal }: { place: string; timeout: number; signal: AbortSignal },
): Promise<Score> {
  const { name, how, form } = adapter;
  const cleanup = new Cleanup();
  const own = join(place, 'own');
  mkdirSync(own);
  try {
    const env = { ...(await adapter.start?.(cleanup, own)), PATH: `${process.env.PATH}:/usr/sbin:/sbin` };
    const version = versionIn((await shell(adapter.version, { cwd: own, env, timeout })).said);
    if (!isCommand(how)) return { name, version, results: await throughSink(how, cases, place, signal) };
    const tool = { ...how, ...EXACTLY, output: how.output ?? 'dir', env, timeout };
    return { name, version, results: await runSuite(cases, [form], tool, { jobs: 1, place, signal }) };
  } finally {
    await cleanup.run();
  }
}

function isCommand(how: Adapter['how']): how is Command {
  return 'run' in how;
}

/** The first thing with a dot and digits, without the packager's suffix. */
function versionIn(said: string): string {
  return /\d+\.\d+(\.\d+)*(-rc\d+)?/.exec(said)?.[0] ?? 'unknown';
}

/** One of our own sinks, in this process. */
async function throughSink(
  sink: TestSink,
  cases: readonly Case[],
  place: string,
  signal: AbortSignal,
): Promise<Result[]> {
  const results: Result[] = [];
  for (const [index, one] of cases.entries()) {
    if (signal.aborted) break;
    const started = performance.now();
    const directory = join(place, String(index));
    const [image, output] = [join(directory, 'image'), join(directory, 'output')];
    for (const path of [directory, output]) mkdirSync(path);
    writeImage(one, 'oci', image);
    const verdict = await verdictThrough(sink, one, image, output);
    rmSync(directory, { recursive: true, force: true });
    results.push({ one, form: 'oci', ...verdict, seconds: (performance.now() - started) / 1000 });
  }
  return results;
}

async function verdictThrough(
  sink: TestSink,
  one: Case,
  image: string,
  output: string,
): Promise<Pick<Result, 'failure' | 'butForTimes'>> {
  const { holds = (row) => row, shows = (row) => row } = sink;
  try {
    const rows = (await sink.list(image, output)).map(shows);
    if (one.error !== undefined) return { failure: 'takes the layers, which are wrong' };
    return compared(one.tree!.map(holds), { rows, lacks: new Set() }, EXACTLY);
  } catch (error) {
    return { failure: one.error === undefined ? (error as Error).message.split('\n')[0] : undefined };
  }
}

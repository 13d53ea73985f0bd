import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Case } from '../support/case.js';
import { present } from '../support/needs.js';
import type { Adapter } from './adapters/adapter.js';
import { ENGINES } from './adapters/engines.js';
import { OURS } from './adapters/flatten.js';
import { UNPACKERS } from './adapters/unpackers.js';
import { runAdapter, type Score } from './run-adapter.js';

export interface Scores {
  readonly scores: readonly Score[];
  /** Tools that are not here, and what they need. */
  readonly absent: readonly (readonly [name: string, need: string])[];
}

interface Options {
  /** Tools at a time. */
  readonly jobs: number;
  readonly place: string;
  readonly timeout: number;
  readonly signal: AbortSignal;
  /** Is told what there is so far, after each tool. */
  readonly onScore: (latest: Score, scores: Scores) => void;
}

/** Runs the cases through each tool of this machine that has one of `tools` in its name, or through all; each takes one case at a time. */
export async function scoreAll(
  cases: readonly Case[],
  tools: readonly string[],
  { jobs, place, timeout, signal, onScore }: Options,
): Promise<Scores> {
  const wanted = [...ENGINES, ...UNPACKERS, ...OURS].filter(
    ({ name }) => tools.length === 0 || tools.some((part) => name.includes(part)),
  );
  const lacks = ({ needs }: Adapter) => needs.find((thing) => !present(thing));
  const there = wanted.filter((adapter) => lacks(adapter) === undefined);
  const absent = wanted
    .filter((adapter) => !there.includes(adapter))
    .map((one) => [one.name, lacks(one)!] as const);
  const scores: (Score | undefined)[] = there.map(() => undefined);
  let next = 0;
  const work = async () => {
    while (next < there.length && !signal.aborted) {
      const index = next++;
      const own = join(place, `tool-${index}`);
      mkdirSync(own);
      const score = await runAdapter(there[index]!, cases, { place: own, timeout, signal });
      if (signal.aborted) return;
      scores[index] = score;
      onScore(score, { scores: scores.filter((one) => one !== undefined), absent });
    }
  };
  await Promise.all(Array.from({ length: jobs }, work));
  return { scores: scores.filter((one) => one !== undefined), absent };
}

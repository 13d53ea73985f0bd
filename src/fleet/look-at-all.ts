import { FlattenError, throwIfAborted } from '../errors.js';
import type { Claims } from './claims.js';
import type { Job } from './job.js';
import { inLanes } from './lanes.js';
import { recordFile } from './record.js';
import type { BatchResult } from './result.js';
import { currentResult, failedResult } from './results.js';
import type { Survey, Surveyed } from './survey.js';

/** Images that are looked at at one time: registries take some time to answer. */
const AT_A_TIME = 16;

/** An image that is to be made, and others of the list that it turned out to be, too: two tags of one image, where outputs are named by digest. */
export interface Due extends Surveyed {
  readonly twins: Job[];
}

/** What is to be done for a list, and what came of the images for which there is nothing to do. */
export interface Looked {
  readonly due: readonly Due[];
  readonly results: readonly BatchResult[];
}

/** Looks at the images of all jobs. Throws `USAGE` where two of them would write one output, which their digests may tell only now. */
export async function lookAtAll(
  jobs: readonly Job[],
  survey: Survey,
  claims: Claims,
  { signal, onLooked }: { readonly signal: AbortSignal; readonly onLooked: (done: number) => void },
): Promise<Looked> {
  const found: (Surveyed | FlattenError)[] = [];
  let done = 0;
  await inLanes(jobs, AT_A_TIME, async (job, index) => {
    throwIfAborted(signal);
    try {
      found[index] = await survey.of(job);
    } catch (error) {
      throwIfAborted(signal);
      if (!(error instanceof FlattenError)) throw error;
      found[index] = error;
    }
    onLooked(++done);
  });
  const results: BatchResult[] = [];
  const known = new Map<string, Due>();
  for (const [index, job] of jobs.entries()) {
    const one = found[index]!;
    if (one instanceof FlattenError) {
      results.push(failedResult(job, one));
      continue;
    }
    const same = known.get(one.output.path);
    const digest = one.look?.digest;
    if (digest !== undefined && same?.key === one.key && same.look?.digest === digest) {
      same.twins.push(job);
      continue;
    }
    if (job.output === undefined) claims.write(withRecord(one), job.place);
    known.set(one.output.path, { ...one, twins: [] });
  }
  claims.refuseMixed();
  const due = [...known.values()].filter(({ isCurrent }) => !isCurrent);
  for (const each of known.values())
    if (each.isCurrent) results.push(...withTwins(currentResult(each), each));
  return { due, results };
}

/** All that a job writes. */
export function withRecord({ output, files }: Pick<Surveyed, 'output' | 'files'>) {
  return [...files, { path: recordFile(output.path), isDirectory: false }];
}

/** The result of an image, and what it is for the others that it is, too. */
export function withTwins(result: BatchResult, { twins }: Due): BatchResult[] {
  const state = result.state === 'failed' ? 'failed' : 'current';
  const others = twins.map(
    ({ place, image }) =>
      ({
        ...result,
        place,
        image,
        state,
        seconds: 0,
        fetched: 0,
        cached: 0,
      }) as const,
  );
  return [result, ...others];
}

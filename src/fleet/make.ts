import type { RunEvent } from '../context.js';
import { FlattenError, isSystemError, systemError } from '../errors.js';
import { refuseUnready } from '../sinks/ready.js';
import { removeLeftovers } from '../sinks/staging/leftovers.js';
import { locate } from '../sinks/staging/place.js';
import type { ImageProcesses } from './image-processes.js';
import type { Parents } from './parents.js';
import { type OutputRecord, removeRecord, stamped, writeRecord } from './record.js';
import type { BatchResult } from './result.js';
import { failedResult, resultOf } from './results.js';
import { outputStamp } from './stamp.js';
import type { Surveyed } from './survey.js';

/** What it takes to make an image. */
export interface MakeMeans {
  readonly processes: ImageProcesses;
  readonly parents: Parents;
  readonly version: string;
  readonly signal: AbortSignal;
  /** Seconds. */
  readonly timeout?: number;
  readonly onEvent?: (event: RunEvent) => void;
}

/** Endings of a process by force, after which its private directories may still be there. */
const BY_FORCE: ReadonlySet<string> = new Set(['DIED', 'TIMEOUT', 'INTERRUPTED']);

/**
 * Makes one image in a process of its own, and notes beside the output what it is. A failure is a result; only `INTERRUPTED` is thrown. Whatever
 * happens, the output is whole, or as it was before.
 */
export async function makeImage(work: Surveyed, means: MakeMeans): Promise<BatchResult> {
  const start = performance.now();
  try {
    return await make(work, means, start);
  } catch (error) {
    const known = isSystemError(error) ? systemError(error) : error;
    if (!(known instanceof FlattenError)) throw error;
    if (means.signal.aborted) throw known;
    return failedResult(work.job, known, { work, seconds: (performance.now() - start) / 1000 });
  }
}

async function make(work: Surveyed, means: MakeMeans, start: number): Promise<BatchResult> {
  const { output, request, files, record, job, key, source } = work;
  const { parents, processes, version, signal, timeout, onEvent } = means;
  parents.make(output.path);
  // What a record stands beside was made by a batch, and is replaced.
  const asked = { ...request, force: request.force === true || record !== undefined };
  const report = onEvent ?? (() => {});
  await refuseUnready(output, asked, { registries: request, signal, report });
  const known = { flatten: version, image: job.image, options: key, ...(source !== undefined && { source }) };
  writeRecord(output.path, { ...known, state: 'begun', files: {} });
  try {
    const task = { kind: 'flatten', request: asked } as const;
    const { result } = await processes.ask(task, {
      signal,
      ...(timeout !== undefined && { timeout }),
      ...(onEvent && { onEvent }),
    });
    const { image, artifact } = result;
    const { digest, platform, layers } = image;
    const { entries, bytes, digest: outputDigest } = artifact;
    const done = {
      ...known,
      state: 'done' as const,
      ...(digest && { digest }),
      ...(platform !== undefined && { platform }),
      layers,
      entries,
      bytes,
      ...(outputDigest && { outputDigest }),
      files: stamped(
        output.path,
        files.map(({ path }) => path),
      ),
    };
    writeRecord(output.path, done);
    const { losses } = artifact;
    const { fetched = 0, cached = 0 } = result.traffic ?? {};
    const seconds = (performance.now() - start) / 1000;
    return resultOf(work, done, { state: 'done', losses, seconds, fetched, cached });
  } catch (error) {
    if (error instanceof FlattenError && BY_FORCE.has(error.code)) await swept(output.path);
    settle(output.path, record);
    throw error;
  }
}

/**
 * Leaves the record that was there. Where an output has appeared all the same, since its process was ended just then, its record stays one of what was
 * begun, and the next run replaces it.
 */
function settle(output: string, record: OutputRecord | undefined): void {
  try {
    if (record !== undefined) writeRecord(output, record);
    else if (outputStamp(output) === undefined) removeRecord(output);
  } catch {} // what failed before is the reason
}

/** Takes away what a process that is gone has left beside its output; what resists is left to the next run. */
async function swept(output: string): Promise<void> {
  try {
    const place = locate(output);
    await removeLeftovers(place, place.parent);
  } catch {}
}

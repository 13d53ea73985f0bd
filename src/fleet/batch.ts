import { setMaxListeners } from 'node:events';
import type { Context } from '../context.js';
import { FlattenError, throwIfAborted } from '../errors.js';
import { writtenBy } from '../flatten.js';
import { contextOf } from '../input.js';
import type { RemoteLooks } from '../sources/remote-look.js';
import { Channel } from './channel.js';
import { Claims } from './claims.js';
import { usualJobs } from './how-many.js';
import { ImageProcesses } from './image-processes.js';
import { type BatchItem, checkItem, type Listed } from './item.js';
import { type Job, jobsOf } from './job.js';
import { programVersion } from './key.js';
import { inLanes } from './lanes.js';
import { type Due, lookAtAll, withRecord, withTwins } from './look-at-all.js';
import { type MakeMeans, makeImage } from './make.js';
import { inOrder } from './order.js';
import { Parents } from './parents.js';
import type { BatchOptions, BatchResult } from './result.js';
import { shardOf } from './shard.js';
import { Survey, type Surveyed } from './survey.js';

/** Images at one time, and seconds for one (as long as a timer lasts): more make no sense. */
const MOST_JOBS = 1000;
const MOST_SECONDS = 2_000_000;

/**
 * Makes all images of a list, each in a process of its own, and yields what came of each, in the order in which they end. What is there already, of the
 * same image, options and version, is left as it is. An image that fails harms no other one, and is a result. Throws what is wrong with the list
 * or the options before any work, and `INTERRUPTED` once the signal is aborted; whoever stops reading the results stops the batch.
 */
export async function* flattenBatch(
  list: Iterable<string | BatchItem | Listed>,
  options: BatchOptions,
): AsyncGenerator<BatchResult, void, undefined> {
  const { output, jobs: count = usualJobs(), timeout, shard, failFast, signal, onEvent, ...shared } = options;
  refuseNumbers({ jobs: count, ...(timeout !== undefined && { timeout }) });
  checkItem({ image: 'any', ...shared }, 'the options');
  const all = jobsOf(listedOf(list), shared, output);
  const claims = claimsOf(all);
  const jobs = shard ? all.filter(({ name }) => shardOf(name, shard.count) === shard.index) : all;

  const stop = new AbortController();
  const stopped = signal ? AbortSignal.any([signal, stop.signal]) : stop.signal;
  setMaxListeners(0, stopped); // each request and each process that is under way listens to it
  const context = contextOf({
    ...shared,
    signal: stopped,
    onEvent: (event) => {
      if (event.type === 'warning') onEvent?.(event);
    },
  });
  const looks = await looksFor(jobs, context);
  const processes = new ImageProcesses(count);
  const parents = new Parents();
  const means = {
    processes,
    parents,
    version: programVersion(),
    signal: stopped,
    ...(timeout !== undefined && { timeout }),
  };
  let working = Promise.resolve();
  try {
    const onLooked = (done: number) => onEvent?.({ type: 'looked', done, total: jobs.length });
    const survey = new Survey({ ...means, ...(looks && { looks }) });
    const { due, results } = await lookAtAll(jobs, survey, claims, { signal: stopped, onLooked });
    onEvent?.({ type: 'due', images: due.length, bytes: due.reduce((sum, { size }) => sum + size, 0) });
    for (const result of results) {
      yield result;
      if (failFast && result.state === 'failed') return;
    }
    const made = new Channel<BatchResult>();
    working = makeAll(inOrder(due), count, made, means, options, stop);
    yield* made;
  } finally {
    stop.abort();
    await working;
    await processes.close();
    await looks?.close();
    parents.removeEmpty();
  }
}

/** Never rejects: what goes wrong ends the channel. */
async function makeAll(
  due: readonly Due[],
  count: number,
  made: Channel<BatchResult>,
  means: Omit<MakeMeans, 'onEvent'>,
  { failFast, signal, onEvent }: BatchOptions,
  stop: AbortController,
): Promise<void> {
  try {
    await inLanes(due, count, async (one) => {
      if (signal) throwIfAborted(signal);
      if (stop.signal.aborted) return;
      const output = one.output.text;
      onEvent?.({ type: 'begun', output, image: one.job.image, bytes: one.size });
      const result = await madeOne(one, {
        ...means,
        onEvent: (event) => onEvent?.({ type: 'run', output, event }),
      });
      if (result === undefined) return;
      for (const each of withTwins(result, one)) made.put(each);
      if (failFast && result.state === 'failed') stop.abort();
    });
    made.end();
  } catch (error) {
    made.end(error);
  }

  /** Undefined where it is given up since another one has failed. */
  async function madeOne(one: Due, how: MakeMeans): Promise<BatchResult | undefined> {
    try {
      return await makeImage(one, how);
    } catch (error) {
      if (stop.signal.aborted && !signal?.aborted) return undefined;
      throw error;
    }
  }
}

/** What speaks with registries is loaded where one is asked for. */
async function looksFor(jobs: readonly Job[], context: Context): Promise<RemoteLooks | undefined> {
  if (!jobs.some(({ input }) => input.kind === 'registry')) return undefined;
  const { RemoteLooks } = await import('../sources/remote-look.js');
  return new RemoteLooks(context);
}

function* listedOf(list: Iterable<string | BatchItem | Listed>): Generator<Listed> {
  let count = 0;
  for (const each of list) {
    count++;
    if (typeof each === 'object' && 'item' in each) yield each;
    else {
      const place = `item ${count}`;
      yield { place, item: checkItem(typeof each === 'string' ? { image: each } : each, place) };
    }
  }
}

/** What all jobs write, where the list alone says it. */
function claimsOf(jobs: readonly Job[]): Claims {
  const claims = new Claims();
  for (const { output, options, place, input } of jobs) {
    if (input.kind === 'stored') claims.read(input.path, place);
    if (output === undefined) continue;
    claims.write(
      withRecord({ output: output as Surveyed['output'], files: writtenBy(output, options) }),
      place,
    );
  }
  claims.refuseMixed();
  return claims;
}

function refuseNumbers({ jobs, timeout }: { readonly jobs: number; readonly timeout?: number }): void {
  if (!Number.isSafeInteger(jobs) || jobs < 1 || jobs > MOST_JOBS)
    throw new FlattenError('USAGE', `{jobs: ${jobs}}: is not a number from 1 to ${MOST_JOBS}`);
  if (timeout !== undefined && !(timeout > 0 && timeout <= MOST_SECONDS))
    throw new FlattenError(
      'USAGE',
      `{timeout: ${timeout}}: is not a number of seconds up to ${MOST_SECONDS}`,
    );
}

import { closeSync } from 'node:fs';
import type { Context } from '../context.js';
import { writeAll } from '../host/bytes.js';
import { unlinkedFile } from '../host/unlinked-file.js';
import { Allowance } from '../threads/allowance.js';
import { GrowingFile } from '../threads/growing.js';
import { type Counts, sharedCounts } from './counts.js';
import { decompressByCommand } from './decompress-command.js';
import { DecompressOutput } from './decompress-output.js';
import { DecompressPool } from './decompress-pool.js';
import type { JobOutput } from './job.js';
import { compressionOf, MAGIC_LENGTH } from './magic.js';

/** What {@link decompressStream} works with. */
export interface StreamMeans {
  readonly context: Context;
  /** What all that is decompressed from the input may come to. */
  readonly bounds: { readonly counts: Counts; readonly temporary: Allowance };
  /** Makes the stream end at once, with an error that does not count. */
  stop(): void;
}

/**
 * Undoes the compression of a stream, told by its first bytes, into the empty file `fd` while it arrives. Fails as
 * {@link decompress} does; what it reads may be drawn from the context's `maxSize`, compressed or not.
 */
export async function decompressStream(
  stream: AsyncGenerator<Buffer>,
  fd: number,
  means: StreamMeans,
): Promise<void> {
  const { maxSize } = means.context.limits;
  const words = { what: 'has more than # bytes', hint: '{maxSize} raises the limit' };
  const received = new Allowance(maxSize, words);
  const [head, chunks] = await begun(stream);
  const compression = compressionOf(head);
  const { counts, temporary } = means.bounds;
  const output = { fd, counts: sharedCounts(counts), most: maxSize };
  if (compression === 'none') {
    const file = new DecompressOutput({ ...output, allowances: [received.shared] });
    for await (const chunk of chunks) file.write(chunk);
    return;
  }
  const unpacked = { ...output, allowances: [new Allowance(maxSize).shared, temporary.shared] };
  if (compression === 'gzip' || compression === 'zstd') {
    await withThread(compression, chunks, unpacked, received, means);
  } else {
    const { signal } = means.context;
    const onProgress = drawnFrom(received);
    await decompressByCommand(compression, chunks, unpacked, { signal, onProgress, stop: means.stop });
  }
}

/** A stream's first bytes, as many as tell its compression, and all of it. */
async function begun(stream: AsyncGenerator<Buffer>): Promise<[Buffer, AsyncGenerator<Buffer>]> {
  let head: Buffer = Buffer.alloc(0);
  while (head.length < MAGIC_LENGTH) {
    const { done, value } = await stream.next();
    if (done) break;
    head = Buffer.concat([head, value]);
  }
  async function* all() {
    if (head.length > 0) yield head;
    yield* stream;
  }
  return [head, all()];
}

/** A thread cannot wait for a stream, but for a file that grows: the stream is copied there. */
async function withThread(
  compression: 'gzip' | 'zstd',
  chunks: AsyncGenerator<Buffer>,
  output: JobOutput,
  received: Allowance,
  { context, stop }: StreamMeans,
): Promise<void> {
  const fd = unlinkedFile(context.tmp);
  const growing = new GrowingFile();
  const threads = new DecompressPool(1);
  const input = { fd, offset: 0, length: 0 };
  const { signal } = context;
  const done = threads.run({ input, growth: growing.shared, compression, output }, { signal });
  done.catch(stop);
  try {
    for await (const chunk of chunks) {
      received.spend(chunk.length);
      writeAll(fd, chunk, growing.length);
      growing.grow(chunk.length);
    }
  } catch (error) {
    growing.end();
    await done; // why the stream was stopped, if it was
    throw error;
  } finally {
    growing.end();
    await threads.close().finally(() => closeSync(fd));
  }
  await done;
}

function drawnFrom(allowance: Allowance): (done: number) => void {
  let drawn = 0;
  return (done) => {
    allowance.spend(done - drawn);
    drawn = done;
  };
}

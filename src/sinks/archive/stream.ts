import type { Context } from '../../context.js';
import { throwIfAborted } from '../../errors.js';
import { Meter } from '../../meter.js';
import type { Rootfs } from '../../rootfs/node.js';
import { ArchiveChunks, type ArchiveForm } from './chunks.js';

/** Bytes of a chunk, and how many chunks there are: so many are filled, written and hashed at the same time. */
const CHUNK = 1024 * 1024;
const CHUNKS = 4;

/**
 * How far behind a page's start a chunk begins. Content and its place in a chunk are both at multiples of 512; where
 * both have the same offset in a page, the kernel's copy (`rep movsb`) is three times slower on AMD's Zen 3 and 4.
 */
const SKEW = 256;

/**
 * Writes a tree as an archive. `out` is called with the chunks in order, without waiting for the calls before; a chunk is
 * its own until the promise that it returns settles, and lies in shared memory, for a thread to read without a copy.
 * When this function settles, so have all of those promises. Reports the phase `write`; throws `INTERRUPTED`, and what `out`
 * rejects with.
 */
export async function writeArchive(
  rootfs: Rootfs,
  form: ArchiveForm,
  out: (chunk: Buffer) => Promise<void>,
  context: Pick<Context, 'signal' | 'report'>,
): Promise<void> {
  const buffers = Array.from({ length: CHUNKS }, () =>
    Buffer.from(new SharedArrayBuffer(SKEW + CHUNK), SKEW),
  );
  const chunks = new ArchiveChunks(rootfs, buffers, form);
  const writing: Promise<void>[] = [];
  const meter = new Meter(context, 'write', rootfs.bytes);
  try {
    for (const chunk of chunks) {
      throwIfAborted(context.signal);
      const written = out(chunk);
      // Whoever awaits it sees the error; without this the process would end before.
      written.catch(() => {});
      if (writing.push(written) === CHUNKS) await writing.shift();
      meter.at(chunks.done);
    }
  } finally {
    await Promise.allSettled(writing);
  }
  await Promise.all(writing);
  throwIfAborted(context.signal);
  meter.end();
}

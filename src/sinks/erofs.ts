import { type ErofsOptions, planErofs, writeErofs } from '../erofs/erofs.js';
import { type DiskFileOptions, diskFileSink } from './disk-file.js';
import type { Sink, SinkOptions } from './sink.js';

/** Options of the sink beyond the image's own. */
export interface ErofsSinkOptions extends ErofsOptions, DiskFileOptions {}

/**
 * A disk image: a file with an EROFS file system, which is read-only and just as large as the tree. It needs no tools and
 * no privileges. The same input and options give the same bytes. Beyond what every sink throws: `UNSUPPORTED` for what
 * the format cannot hold, before anything is written.
 */
export function erofsSink(output: string, options: SinkOptions & ErofsSinkOptions): Sink {
  return diskFileSink(output, options, async ({ rootfs }, path, context) => {
    const plan = await planErofs(rootfs, options, context);
    try {
      await writeErofs(path, plan, context);
      return plan.losses;
    } finally {
      await plan.close();
    }
  });
}

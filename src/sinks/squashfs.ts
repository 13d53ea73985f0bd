import { writeArchive } from './archive/stream.js';
import { inTurn } from './archive/writer.js';
import { refuseZeros } from './archive/zeros.js';
import { type DiskFileOptions, diskFileSink } from './disk-file.js';
import type { Sink, SinkOptions } from './sink.js';
import { SqfstarForm } from './squashfs/form.js';
import { type SquashfsOptions, sqfstarOptions } from './squashfs/options.js';
import { planSquashfs } from './squashfs/plan.js';
import { sqfstar } from './squashfs/tool.js';

/** Options of the sink beyond the image's own. */
export interface SquashfsSinkOptions extends DiskFileOptions {
  readonly squashfs?: SquashfsOptions;
}

/**
 * A disk image: a file with a squashfs file system, which is compressed, and which sqfstar makes of a tar on its standard input. It
 * takes no privileges. The same input gives the same bytes with the same version of sqfstar. Beyond what every sink throws:
 * `UNSUPPORTED` for what the format cannot hold at all, before anything is written; `TOOL`, and `USAGE` for options that make no sense.
 */
export function squashfsSink(output: string, options: SinkOptions & SquashfsSinkOptions): Sink {
  const how = sqfstarOptions(options.squashfs ?? {});
  return diskFileSink(output, options, async ({ rootfs, bounds }, path, context) => {
    refuseZeros(rootfs, { sparse: false }, bounds);
    const { time, losses } = planSquashfs(rootfs, options);
    const { signal } = context;
    await sqfstar({ path, time, mode: rootfs.root.meta.mode, how, signal }, (put) =>
      writeArchive(rootfs, new SqfstarForm(), inTurn(put), context),
    );
    return losses;
  });
}

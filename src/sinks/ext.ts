import type { Context } from '../context.js';
import { checkExtTools, type ExtOptions, type ExtPlan, planExt, writeExt } from '../ext/ext.js';
import { type BuildDisk, type DiskFileOptions, diskFileSink } from './disk-file.js';
import type { Sink, SinkOptions } from './sink.js';

/** Options of the sink beyond the image's own. */
export interface ExtSinkOptions extends ExtOptions, DiskFileOptions {}

/**
 * A disk image: a file with an ext2, ext3 or ext4 file system of just the size that the tree takes. It needs e2fsprogs
 * and no privileges. The same input and options give the same bytes. Beyond what every sink throws: `UNSUPPORTED` for what
 * the format cannot hold and `LIMIT` for a size too small, both before anything is written; `TOOL`.
 */
export function extSink(output: string, options: SinkOptions & ExtSinkOptions): Sink {
  return diskFileSink(output, options, buildExt(options));
}

function buildExt(options: SinkOptions & ExtSinkOptions): BuildDisk {
  return async ({ rootfs }, path, context) => {
    let plan: ExtPlan | undefined;
    try {
      const ready = checkExtTools(context.signal);
      ready.catch(() => {}); // it is awaited below; until then its failure is no unhandled one
      plan = await planExt(rootfs, options, context);
      await ready;
      if (options.verity !== undefined && plan.image.geometry.journalBlocks > 0) warnOfJournal(context);
      await writeExt(path, plan, context);
      return plan.losses;
    } finally {
      await plan?.close();
    }
  };
}

function warnOfJournal({ report }: Pick<Context, 'report'>): void {
  const message =
    'the image has a journal, and dm-verity lets nobody replay one: mount it with noload, or make it of ext2, or of ext4 with {journal: none}';
  report({ type: 'warning', code: 'VERITY_JOURNAL', message });
}

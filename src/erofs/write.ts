import { closeSync, ftruncateSync, openSync } from 'node:fs';
import type { Context } from '../context.js';
import { Meter } from '../meter.js';
import type { ErofsPlan } from './plan.js';
import { writeInodes } from './write/inodes.js';
import { writeOwnBlocks } from './write/own-blocks.js';
import { fileRows } from './write/rows.js';

/** Writes a planned image to `path`, where nothing is yet. Throws `IO` and `INTERRUPTED`; the file may be there then. */
export async function writeErofs(path: string, plan: ErofsPlan, context: Context): Promise<void> {
  const { image, pool } = plan;
  const fd = openSync(path, 'wx+');
  try {
    ftruncateSync(fd, plan.bytes);
    const rows = fileRows(image);
    const copied = pool.start(rows, { kind: 'copy', fd }).finish(new Meter(context, 'write', rows.bytes));
    // Whatever becomes of either, nobody writes any more when the file is closed.
    const inodes = writeInodes(fd, plan, context.signal).then(() =>
      writeOwnBlocks(fd, image, context.signal),
    );
    const outcomes = await Promise.allSettled([copied, inodes]);
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
  } finally {
    closeSync(fd);
  }
}

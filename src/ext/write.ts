import { closeSync, ftruncateSync, openSync } from 'node:fs';
import type { Context } from '../context.js';
import { Meter } from '../meter.js';
import { finishImage, formatImage, judgeImage } from './format.js';
import type { ExtPlan } from './plan.js';
import { writeStructure } from './populate/populate.js';

/** Writes a planned image to `path`, where nothing is yet, and has e2fsck judge it. Throws `TOOL`, `IO` and `INTERRUPTED`; the file may be there then. */
export async function writeExt(
  path: string,
  { image, identity, pool }: ExtPlan,
  context: Context,
): Promise<void> {
  const { signal } = context;
  const tools = { signal, time: image.time };
  const fd = openSync(path, 'wx+');
  try {
    ftruncateSync(fd, image.geometry.bytes);
    await formatImage(path, image.geometry, identity, tools);
    const rows = await writeStructure(fd, image, signal);
    await finishImage(path, tools);
    // e2fsck reads no content, but has all that is written brought to the disk first: so it starts before the content.
    const judged = judgeImage(path, tools);
    const copying = pool.start(rows, { kind: 'copy', fd });
    const copied = copying.finish(new Meter(context, 'write', rows.bytes));
    await settled(judged, copied);
  } finally {
    closeSync(fd);
  }
}

/** Waits for both, whatever becomes of them; throws the first's failure, or the second's. */
async function settled(...promises: readonly Promise<unknown>[]): Promise<void> {
  const outcomes = await Promise.allSettled(promises);
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
}

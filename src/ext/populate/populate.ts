import { setImmediate as turn } from 'node:timers/promises';
import type { ContentRows } from '../../disk/content/rows.js';
import { throwIfAborted } from '../../errors.js';
import type { ImagePlan } from '../image-plan.js';
import { FIRST_INODE, ROOT_INODE } from '../structures/features.js';
import { pinTimes } from '../structures/inode.js';
import { writeAccounts } from './accounting.js';
import { readFormatted } from './formatted.js';
import { InodeWriter } from './inodes.js';

/** Inodes between two turns of the event loop. */
const INODES = 2_000;

/**
 * Fills `fd`, a file that mke2fs has just formatted as the plan's geometry says, with all that describes the tree; after it
 * the file system is whole but for files' bytes. Returns those, each with its place. Throws `INTERRUPTED` on abort.
 */
export async function writeStructure(fd: number, plan: ImagePlan, signal: AbortSignal): Promise<ContentRows> {
  const { tree, geometry, time } = plan;
  const formatted = readFormatted(fd, geometry);
  const writer = new InodeWriter(fd, plan, formatted);
  formatted.reserved.forEach((raw, i) => {
    if (i + 1 === ROOT_INODE) writer.writeRoot();
    else writer.writeReserved(raw.some((byte) => byte !== 0) ? pinTimes(raw, time) : raw);
  });
  for (let i = 0; i < tree.inodes.length; i++) {
    writer.write(tree.inodes[i]!, FIRST_INODE + i);
    if (i % INODES !== INODES - 1) continue;
    await turn();
    throwIfAborted(signal);
  }
  const directoriesOf = (group: number) => directoriesIn(group, geometry.inodesPerGroup, tree.directories);
  writeAccounts(fd, geometry, formatted, { count: plan.census.demand.inodes, directoriesOf }, time);
  return writer.finish();
}

/** Directories have the numbers from the first on that is not reserved, but for the root. */
function directoriesIn(group: number, inodesPerGroup: number, directories: number): number {
  const first = group * inodesPerGroup + 1;
  const from = Math.max(first, FIRST_INODE);
  const to = Math.min(first + inodesPerGroup, FIRST_INODE + directories);
  return Math.max(0, to - from) + (group === 0 ? 1 : 0);
}

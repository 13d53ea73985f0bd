import { setImmediate as turn } from 'node:timers/promises';
import type { Context } from '../../context.js';
import { throwIfAborted } from '../../errors.js';
import { ContentReader } from '../../layer/content.js';
import type { Census } from '../census.js';
import type { Geometry } from '../geometry.js';
import type { NumberedTree } from '../numbering.js';
import type { Survey } from '../survey.js';
import { BLOCK, FIRST_INODE, ROOT_INODE } from '../structures/features.js';
import type { HashSeed } from '../structures/hash.js';
import { pinTimes } from '../structures/inode.js';
import { writeAccounts } from './accounting.js';
import { copyContent } from './copy.js';
import type { CopyList } from './copy-list.js';
import { readFormatted } from './formatted.js';
import { InodeWriter } from './inodes.js';

/** Everything that decides the bytes of an image. */
export interface ImagePlan {
  readonly tree: NumberedTree;
  readonly census: Census;
  readonly geometry: Geometry;
  readonly runsOf: Survey['runsOf'];
  readonly seed: HashSeed;
  /** Seconds since 1970, for everything that has a time and no inode of the tree behind it. */
  readonly time: number;
}

/** Bytes and inodes between two turns of the event loop. */
const SLICE = 32 * 2 ** 20;
const INODES = 10_000;

/**
 * Fills `fd`, a file that mke2fs has just formatted as the plan's geometry says. First all that describes the tree, in
 * front, then the content in one sweep; the accounts of what is taken come last. Throws `INTERRUPTED` on abort.
 */
export async function populate(fd: number, plan: ImagePlan, context: Context): Promise<void> {
  const { tree, geometry, time } = plan;
  const formatted = readFormatted(fd, geometry);
  const writer = new InodeWriter(fd, plan, formatted);
  formatted.reserved.forEach((raw, i) => {
    if (i + 1 === ROOT_INODE) writer.writeRoot();
    else writer.writeReserved(raw.some((byte) => byte !== 0) ? pinTimes(raw, time) : raw);
  });
  for (let i = 0; i < tree.inodes.length; i++) {
    writer.write(tree.inodes[i]!, FIRST_INODE + i);
    if (i % INODES === INODES - 1) await breathe(context);
  }
  await copyAll(fd, writer.finish(), context);
  const directoriesOf = (group: number) => directoriesIn(group, geometry.inodesPerGroup, tree.directories);
  writeAccounts(fd, geometry, formatted, { count: plan.census.demand.inodes, directoriesOf }, time);
}

async function copyAll(fd: number, list: CopyList, context: Context): Promise<void> {
  const reader = new ContentReader();
  try {
    let done = 0;
    let since = 0;
    for (const bytes of copyContent(fd, list, reader)) {
      done += bytes;
      since += bytes + BLOCK;
      if (since < SLICE) continue;
      since = 0;
      context.report({ type: 'write', done, total: list.bytes });
      await breathe(context);
    }
    context.report({ type: 'write', done: list.bytes, total: list.bytes });
  } finally {
    reader.close();
  }
}

async function breathe({ signal }: Context): Promise<void> {
  await turn();
  throwIfAborted(signal);
}

/** Directories have the numbers from the first on that is not reserved, but for the root. */
function directoriesIn(group: number, inodesPerGroup: number, directories: number): number {
  const first = group * inodesPerGroup + 1;
  const from = Math.max(first, FIRST_INODE);
  const to = Math.min(first + inodesPerGroup, FIRST_INODE + directories);
  return Math.max(0, to - from) + (group === 0 ? 1 : 0);
}

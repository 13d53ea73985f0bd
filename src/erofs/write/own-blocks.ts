import { setImmediate as turn } from 'node:timers/promises';
import { BLOCK } from '../../disk/block.js';
import { GatheringWriter } from '../../disk/gathering.js';
import { throwIfAborted } from '../../errors.js';
import { LAYOUT, NO_BLOCK } from '../format.js';
import type { ImagePlan } from '../image-plan.js';
import { DirectoryData } from './directory-data.js';

/** Directories or symlinks between two turns of others. */
const STEP = 256;

/** Writes the blocks of directories, and of symlinks with long targets. */
export async function writeOwnBlocks(fd: number, plan: ImagePlan, signal: AbortSignal): Promise<void> {
  const { tree, firstBlocks } = plan;
  const writer = new GatheringWriter(fd);
  for (let number = 0; number < tree.inodes.length - tree.files.length; number++) {
    if (firstBlocks[number] === NO_BLOCK) continue;
    const position = (plan.size.inodeBlocks + firstBlocks[number]!) * BLOCK;
    const node = tree.inodes[number]!;
    if (node.kind === 'symlink') writer.at(position, BLOCK).write(node.target, 'latin1');
    else if (node.kind === 'directory') {
      const data = new DirectoryData(node, number, plan);
      const blocks = plan.layouts[number] === LAYOUT.inline ? data.blocks - 1 : data.blocks;
      for (let i = 0; i < blocks; i++) data.writeBlock(i, writer.at(position + i * BLOCK, BLOCK));
    }
    if (number % STEP !== 0) continue;
    await turn();
    throwIfAborted(signal);
  }
  writer.flush();
}

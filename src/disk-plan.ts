import type { Context } from './context.js';
import { planLines as erofsLines, planErofs } from './erofs/erofs.js';
import { type ExtFormat, planLines as extLines, planExt } from './ext/ext.js';
import type { Rootfs } from './rootfs/node.js';
import type { DiskOptions } from './sinks/open.js';

/** File systems whose images are planned before they are written. */
export type PlannedFormat = ExtFormat | 'erofs';

/** How large a disk image would be, and why. */
export interface DiskPlan {
  readonly bytes: number;
  readonly blocks: number;
  readonly inodes: number;
  readonly freeBlocks: number;
  readonly freeInodes: number;
  /** For a person, a line each. */
  readonly lines: readonly string[];
}

/** Sizes the disk image that a tree becomes. Content is read: blocks of zeros take no room, and EROFS has the same content once. */
export function planTree(
  rootfs: Rootfs,
  { format, ...options }: DiskOptions & { readonly format: PlannedFormat; readonly strict: boolean },
  context: Context,
): Promise<DiskPlan> {
  return format === 'erofs'
    ? planOfErofs(rootfs, options, context)
    : planOfExt(rootfs, { ...options, format }, context);
}

async function planOfExt(
  rootfs: Rootfs,
  options: DiskOptions & { readonly format: ExtFormat; readonly strict: boolean },
  context: Context,
): Promise<DiskPlan> {
  const plan = await planExt(rootfs, options, context);
  await plan.close();
  const { bytes, blocks, inodes, freeBlocks, freeInodes } = plan.image.geometry;
  return { bytes, blocks, inodes, freeBlocks, freeInodes, lines: extLines(plan) };
}

async function planOfErofs(
  rootfs: Rootfs,
  options: DiskOptions & { readonly strict: boolean },
  context: Context,
): Promise<DiskPlan> {
  const plan = await planErofs(rootfs, options, context);
  await plan.close();
  const { blocks, inodes } = plan.image.size;
  return { bytes: plan.bytes, blocks, inodes, freeBlocks: 0, freeInodes: 0, lines: erofsLines(plan) };
}

import type { Context } from './context.js';
import { planLines as erofsLines, planErofs } from './erofs/erofs.js';
import { FlattenError } from './errors.js';
import { type ExtFormat, planLines as extLines, planExt } from './ext/ext.js';
import { refuseIdlePlatform, refuseMisfits } from './fits.js';
import { withInput } from './input.js';
import type { FlattenOptions } from './options.js';
import type { Rootfs } from './rootfs/node.js';
import type { DiskOptions } from './sinks/open.js';
import { parseOutput } from './sinks/output.js';
import { parseInput } from './sources/transport.js';
import { hashBlocks, VERITY_BLOCK } from './verity/verity.js';

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

/** Sizes the disk image that {@link flatten} would write with the same options, and writes nothing. */
export async function planDisk(options: FlattenOptions): Promise<DiskPlan> {
  const output = parseOutput(options.output, options.format);
  if (output.kind !== 'disk' || output.filesystem === 'squashfs')
    throw new FlattenError(
      'USAGE',
      `a plan is for images of ext and erofs, and the output is ${output.format}`,
    );
  const { filesystem: format, path } = output;
  refuseMisfits(options, output);
  const input = parseInput(options.input);
  return withInput({ ...options, input }, path, async ({ image, tree, context }) => {
    refuseIdlePlatform(image, options, output);
    const asked = { ...options.disk, strict: options.strict ?? false };
    const plan =
      format === 'erofs'
        ? await planOfErofs(tree.rootfs, asked, context)
        : await planOfExt(tree.rootfs, { ...asked, format }, context);
    await tree.verified;
    return options.disk?.verity === true ? withHashTree(plan) : plan;
  });
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

/** The same with a hash tree behind the file system. */
function withHashTree({ lines, ...plan }: DiskPlan): DiskPlan {
  const blocks = plan.bytes / VERITY_BLOCK;
  const more = hashBlocks(blocks);
  const bytes = plan.bytes + more * VERITY_BLOCK;
  const line = `and ${more} blocks of a hash tree behind it: ${bytes} bytes in all`;
  return { ...plan, bytes, lines: [...lines, line] };
}

import { type DiskPlan, planTree } from './disk-plan.js';
import { FlattenError } from './errors.js';
import { refuseIdlePlatform, refuseMisfits } from './fits.js';
import { withInput } from './input.js';
import type { FlattenOptions } from './options.js';
import { parseOutput } from './sinks/output.js';
import { parseInput } from './sources/transport.js';
import { hashBlocks, VERITY_BLOCK } from './verity/verity.js';

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
    const plan = await planTree(tree.rootfs, { ...asked, format }, context);
    await tree.verified;
    return options.disk?.verity === true ? withHashTree(plan) : plan;
  });
}

/** The same with a hash tree behind the file system. */
function withHashTree({ lines, ...plan }: DiskPlan): DiskPlan {
  const blocks = plan.bytes / VERITY_BLOCK;
  const more = hashBlocks(blocks);
  const bytes = plan.bytes + more * VERITY_BLOCK;
  const line = `and ${more} blocks of a hash tree behind it: ${bytes} bytes in all`;
  return { ...plan, bytes, lines: [...lines, line] };
}

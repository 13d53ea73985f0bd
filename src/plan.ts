import { FlattenError } from './errors.js';
import { type ExtPlan, planExt, planLines } from './ext/ext.js';
import { refuseIdlePlatform, refuseMisfits } from './fits.js';
import { withInput } from './input.js';
import type { FlattenOptions } from './options.js';
import { parseOutput } from './sinks/output.js';
import { parseInput } from './sources/transport.js';

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
  if (output.kind !== 'disk')
    throw new FlattenError('USAGE', `a plan is for disk images, and the output is ${output.format}`);
  const { filesystem: format, path } = output;
  refuseMisfits(options, output);
  const input = parseInput(options.input);
  return withInput({ ...options, input }, path, async ({ image, tree, context }) => {
    refuseIdlePlatform(image, options, output);
    const plan = await planExt(
      tree.rootfs,
      { ...options.disk, format, strict: options.strict ?? false },
      context,
    );
    try {
      await tree.verified;
      return described(plan);
    } finally {
      await plan.close();
    }
  });
}

function described(plan: ExtPlan): DiskPlan {
  const { bytes, blocks, inodes, freeBlocks, freeInodes } = plan.image.geometry;
  return { bytes, blocks, inodes, freeBlocks, freeInodes, lines: planLines(plan) };
}

import { FlattenError } from './errors.js';
import { ContentCrew } from './ext/content/crew.js';
import type { Geometry } from './ext/geometry.js';
import { planLines } from './ext/plan-lines.js';
import { refuseIdlePlatform, refuseMisfits } from './fits.js';
import { withInput } from './input.js';
import type { FlattenOptions } from './options.js';
import { planImage } from './sinks/ext/plan.js';
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
  return withInput(
    { ...options, input: parseInput(options.input) },
    path,
    async ({ image, tree, context }) => {
      refuseIdlePlatform(image, options, output);
      const crew = new ContentCrew(context.signal);
      try {
        const plan = await planImage(
          tree.rootfs,
          { ...options.disk, format, strict: options.strict ?? false },
          crew,
          context,
        );
        await tree.verified;
        return described(plan.image.geometry);
      } finally {
        await crew.dismiss();
      }
    },
  );
}

function described(geometry: Geometry): DiskPlan {
  const { bytes, blocks, inodes, freeBlocks, freeInodes } = geometry;
  return { bytes, blocks, inodes, freeBlocks, freeInodes, lines: planLines(geometry) };
}

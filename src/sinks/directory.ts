import { availableParallelism } from 'node:os';
import type { Context } from '../context.js';
import { type Libc, libc } from '../host/libc.js';
import { Losses } from '../losses.js';
import type { Rootfs } from '../rootfs/node.js';
import { FilePool } from './directory/file-pool.js';
import { Pace } from './directory/pace.js';
import { writeTree } from './directory/tree-writer.js';
import type { Artifact, Flattened, Sink, SinkOptions } from './sink.js';
import { refuseExisting, stageDirectory } from './staging.js';

/** What the machine offers. */
export interface Machine {
  /** Undefined: commands are used where Node has no call. */
  readonly libc: Libc | undefined;
  readonly cores: number;
}

/** Measured: a second thread saves a third of the time, a third one a tenth; more only wait for each other. */
const MAX_THREADS = 3;
/** A worker starts in the time that this much is written in. */
const WORTH_A_WORKER = { inodes: 2000, bytes: 64 << 20 };

/**
 * Writes the tree as files. `output` may be an empty directory. What this system or user cannot hold (owners and devices
 * without root, xattrs, times) is counted as a loss. Throws at once if `output` exists and may not be replaced.
 */
export function directorySink(output: string, options: SinkOptions): Sink {
  refuseExisting(output, 'directory', options);
  return {
    write: (flattened, context) =>
      writeDirectory(output, options, flattened, context, { libc: libc(), cores: availableParallelism() }),
  };
}

/** {@link directorySink}'s work, on a given machine. */
export async function writeDirectory(
  output: string,
  options: SinkOptions,
  { rootfs, verified }: Flattened,
  context: Context,
  machine: Machine,
): Promise<Artifact> {
  const threads = threadsFor(rootfs, machine.cores);
  const pace = new Pace(context, verified, rootfs.bytes, threads);
  const losses = new Losses(options);
  try {
    await pace.rest();
    const top = new Set(rootfs.root.children.keys());
    const staging = await stageDirectory(output, { ...options, top, libc: machine.libc });
    try {
      const pool = new FilePool(pace);
      try {
        await writeTree(rootfs, staging.path, { ...options, libc: machine.libc, losses, pool, pace });
      } finally {
        await pool.close();
      }
      pace.done();
      await pace.wait(verified);
      await staging.publish();
    } catch (error) {
      await staging.discard();
      throw error;
    }
  } finally {
    pace.end();
  }
  return { output, entries: rootfs.entries, bytes: rootfs.bytes, losses: losses.list() };
}

function threadsFor({ inodes, bytes }: Rootfs, cores: number): number {
  const isSmall = inodes < WORTH_A_WORKER.inodes && bytes < WORTH_A_WORKER.bytes;
  return isSmall ? 1 : Math.min(cores, MAX_THREADS);
}

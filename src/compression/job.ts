import type { ByteRange } from '../host/bytes.js';
import type { Digest } from '../oci/digest.js';
import type { SharedAllowance } from '../threads/allowance.js';
import type { SharedGrowth } from '../threads/growing.js';
import type { SharedTurnstile } from '../threads/turnstile.js';
import type { SharedCounts } from './counts.js';

export type HashName = 'sha256' | 'sha512';

/** Work for a thread: read a range, undo its compression, digest both sides. */
export interface Job {
  readonly input: ByteRange;
  /** The input is still being written, from its file's start: how far, and not `length`, says this. For threads only. */
  readonly growth?: SharedGrowth;
  readonly compression: 'none' | 'gzip' | 'zstd';
  /** Where the uncompressed bytes are written to; absent: nowhere. */
  readonly output?: JobOutput;
  /** Through which goes what takes much memory. */
  readonly turnstile?: SharedTurnstile;
  /** The digest to compute of the bytes as stored. */
  readonly stored?: HashName | undefined;
  /** The digest to compute of the uncompressed bytes. */
  readonly uncompressed?: HashName | undefined;
}

export interface JobOutput {
  /** An empty file, open for reading too. */
  readonly fd: number;
  /** What the bytes are drawn from. */
  readonly allowances: readonly SharedAllowance[];
  /** What the members of the tar that it should be are drawn from; absent: they are not looked at. */
  readonly counts?: SharedCounts | undefined;
  /** The bytes that the tar may say it has. Default: all that may be drawn. */
  readonly most?: number;
}

export interface JobResult {
  /** Uncompressed bytes. */
  readonly size: number;
  /** Whether the thread holds much memory now, which it gives back when it ends. */
  readonly isHeavy?: boolean;
  readonly stored?: Digest | undefined;
  readonly uncompressed?: Digest | undefined;
}

import { type ErrorCode, FlattenError } from '../errors.js';
import type { Digest } from '../oci/digest.js';
import type { SharedGrowth } from './growing.js';
import type { ByteRange } from './layer.js';
import type { SharedTurnstile } from './turnstile.js';
import type { SharedAllowance } from './unpack-allowance.js';
import type { SharedCounts } from './unpack-counts.js';

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
  readonly unpacked?: HashName | undefined;
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
  readonly unpacked?: Digest | undefined;
}

/** What a thread tells: stored bytes done so far, then a result or a failure. */
export type Message =
  | { readonly type: 'progress'; readonly done: number }
  | { readonly type: 'done'; readonly result: JobResult }
  | { readonly type: 'failed'; readonly failure: Failure };

/** A FlattenError without what cannot cross threads. */
interface Failure {
  readonly code: ErrorCode;
  readonly what: string;
  readonly path?: string;
  readonly hint?: string;
}

export function failureOf(error: FlattenError): Failure {
  const { code, what, path, hint } = error;
  return { code, what, ...(path !== undefined && { path }), ...(hint !== undefined && { hint }) };
}

export function errorOf({ code, what, ...details }: Failure): FlattenError {
  return new FlattenError(code, what, details);
}

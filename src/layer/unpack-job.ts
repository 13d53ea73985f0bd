import { type ErrorCode, FlattenError } from '../errors.js';
import type { Digest } from '../oci/digest.js';
import type { ByteRange } from './layer.js';
import type { SharedAllowance } from './unpack-allowance.js';

export type HashName = 'sha256' | 'sha512';

/** Work for a thread: read a range, undo its compression, digest both sides. */
export interface Job {
  readonly input: ByteRange;
  readonly compression: 'none' | 'gzip' | 'zstd';
  /** The file that the uncompressed bytes are written to, from its start, and what they are drawn from; absent: neither. */
  readonly output?: { readonly fd: number; readonly allowance: SharedAllowance };
  /** The digest to compute of the bytes as stored. */
  readonly stored?: HashName | undefined;
  /** The digest to compute of the uncompressed bytes. */
  readonly unpacked?: HashName | undefined;
}

export interface JobResult {
  /** Uncompressed bytes. */
  readonly size: number;
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
  readonly hint?: string;
}

export function failureOf(error: FlattenError): Failure {
  const { code, what, hint } = error;
  return { code, what, ...(hint !== undefined && { hint }) };
}

export function errorOf({ code, what, hint }: Failure): FlattenError {
  return new FlattenError(code, what, hint === undefined ? {} : { hint });
}

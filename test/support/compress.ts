import { spawnSync } from 'node:child_process';
import { gzipSync } from 'node:zlib';

/** How bytes are stored. */
export interface Packing {
  readonly compression: 'none' | 'gzip' | 'zstd' | 'xz' | 'bzip2';
  /** Gzip members, zstd frames or their like that the bytes are cut into. Default 1. */
  readonly pieces?: number;
  /** Zstd: a skippable frame in front of each frame and behind the last. */
  readonly skippable?: boolean;
}

/** Packs bytes with the programs people use (gzip with zlib). */
export function compress(bytes: Buffer, { compression, pieces = 1, skippable = false }: Packing): Buffer {
  if (compression === 'none') return bytes;
  const step = Math.max(1, Math.ceil(bytes.length / pieces));
  const parts: Buffer[] = [];
  for (let at = 0; at === 0 || at < bytes.length; at += step) {
    if (skippable) parts.push(SKIPPABLE);
    parts.push(packed(bytes.subarray(at, at + step), compression));
  }
  if (skippable) parts.push(SKIPPABLE);
  return Buffer.concat(parts);
}

/** Four bytes of magic, the length, and as many bytes of anything (RFC 8878, 3.1.2). */
const SKIPPABLE = Buffer.from([0x53, 0x2a, 0x4d, 0x18, 5, 0, 0, 0, 1, 2, 3, 4, 5]);

function packed(bytes: Buffer, program: string): Buffer {
  if (program === 'gzip') return gzipSync(bytes);
  const { status, stdout, error } = spawnSync(program, ['-c'], { input: bytes, maxBuffer: 2 ** 30 });
  if (status !== 0) throw error ?? new Error(`${program} failed`);
  return stdout;
}

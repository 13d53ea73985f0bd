import type { Buffer } from 'node:buffer';

/** How a command ended. */
export interface Ran {
  /** The command is not installed. */
  readonly isMissing: boolean;
  /** Lines, latin1. */
  readonly stderr: readonly string[];
}

const BATCH = 4 << 20;

/**
 * Runs a command once for every few megabytes of `pieces`, which go to its standard input: bytes never pass through a
 * shell or an argument. Its exit code is no matter; callers look at what it did.
 */
export async function feed(command: string, args: readonly string[], pieces: Iterable<Buffer>): Promise<Ran> {
  const { execa } = await import('execa');
  const stderr: string[] = [];
  for (const input of batches(pieces)) {
    const ran = await execa(command, args, {
      input,
      cwd: '/',
      reject: false,
      encoding: 'latin1',
      env: { LC_ALL: 'C' },
      maxBuffer: 64 << 20,
    });
    if (ran.code === 'ENOENT') return { isMissing: true, stderr };
    stderr.push(...ran.stderr.split('\n').filter((line) => line !== ''));
  }
  return { isMissing: false, stderr };
}

function* batches(pieces: Iterable<Buffer>): Generator<Uint8Array> {
  let batch: Uint8Array[] = [];
  let length = 0;
  for (const piece of pieces) {
    batch.push(piece);
    length += piece.length;
    if (length < BATCH) continue;
    yield joined(batch, length);
    batch = [];
    length = 0;
  }
  if (length > 0) yield joined(batch, length);
}

function joined(pieces: readonly Uint8Array[], length: number): Uint8Array {
  const whole = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

import {
  closeSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  readSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Worker } from 'node:worker_threads';
import { type Context, DEFAULT_LIMITS } from '../../src/context.js';
import type { ByteRange } from '../../src/host/bytes.js';
import { scratch } from '../support/scratch.js';

/** A context whose temporary files lie in a directory of the test's own. */
export function contextFor(t: TestContext, over: Partial<Context> = {}): Context {
  const { signal } = new AbortController();
  return { signal, tmp: scratch(t), limits: DEFAULT_LIMITS, digests: true, report: () => {}, ...over };
}

/** Bytes in an open file, behind `offset` other bytes and in front of more; closed after the test. */
export function blobOf(t: TestContext, bytes: Buffer, offset = 0): ByteRange {
  const path = join(scratch(t), 'blob');
  const around = Buffer.alloc(offset, 'x');
  writeFileSync(path, Buffer.concat([around, bytes, around]));
  const fd = openSync(path, 'r');
  t.after(() => closeSync(fd));
  return { fd, offset, length: bytes.length };
}

export function readAll({ fd, offset, length }: ByteRange): Buffer {
  const bytes = Buffer.alloc(length);
  readSync(fd, bytes, 0, length, offset);
  return bytes;
}

const threads = new Set<Worker>();
process.on('worker', (worker) => {
  threads.add(worker);
  worker.on('exit', () => threads.delete(worker));
});

/** Threads that have not ended. */
export function liveThreads(): number {
  return threads.size;
}

/** What a run left: names in its directory, open files that lay there, and programs. */
export function leftovers({ tmp }: Context): string[] {
  const open = readdirSync('/proc/self/fd').map((fd) => linkOf(`/proc/self/fd/${fd}`));
  const programs = readdirSync('/proc/self/task').flatMap((task) => childrenOf(task));
  return [...readdirSync(tmp), ...open.filter((path) => path.startsWith(tmp)), ...programs];
}

/** Bytes of the files that a run has open in its directory, which have no names there. */
export function openBytes({ tmp }: Context): number {
  const links = readdirSync('/proc/self/fd').map((fd) => `/proc/self/fd/${fd}`);
  return links.reduce((sum, link) => sum + (linkOf(link).startsWith(tmp) ? statSync(link).size : 0), 0);
}

function childrenOf(task: string): string[] {
  try {
    return readFileSync(`/proc/self/task/${task}/children`, 'latin1').split(' ').filter(Boolean);
  } catch {
    return []; // a thread that has just ended
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return ''; // the directory that was just read
  }
}

/** Bytes that compress somewhat, the same each time. */
export function someBytes(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  let state = 1;
  for (let at = 0; at < length; at++) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    bytes[at] = at % 64 < 40 ? 97 + (at % 7) : state >>> 24;
  }
  return bytes;
}

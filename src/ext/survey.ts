import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { setImmediate as turn } from 'node:timers/promises';
import type { Context } from '../context.js';
import { throwIfAborted } from '../errors.js';
import { ContentReader, segmentsOf } from '../layer/content.js';
import type { Content, File, Node } from '../rootfs/node.js';
import { walk } from '../rootfs/walk.js';
import type { NumberedTree } from './numbering.js';
import { RunBuilder, type Runs, wholeRun } from './runs.js';
import { StoredWindow } from './stored.js';
import { BLOCK } from './structures/features.js';

/** What reading all content once tells. */
export interface Survey {
  /** The blocks of a file that are not zeros throughout. */
  runsOf(file: File): Runs;
  /** 32 bytes that change with any name, metadata or content of the tree, and with nothing else. */
  readonly fingerprint: Buffer;
}

/** Bytes between two turns of the event loop, and what a file costs on top of its bytes. */
const SLICE = 32 * 2 ** 20;
const FILE_COST = 8192;
/** Lines of a fingerprint that are hashed together. */
const LINES = 1024;
const ZEROS = Buffer.alloc(BLOCK);

/**
 * Reads all content, in order, for its runs of zero blocks and its checksum. Layer tars hold sparse files
 * inflated, and an image is sized before it is written: so the holes must be known first.
 */
export async function survey(tree: NumberedTree, context: Pick<Context, 'signal'>): Promise<Survey> {
  const holed = new Map<File, Runs>();
  const sums = new Map<Node, number>();
  const reader = new ContentReader();
  const window = new StoredWindow(reader);
  try {
    let since = 0;
    for (const file of tree.inodes.slice(tree.firstFile) as File[]) {
      since += FILE_COST;
      for (const piece of inspect(file, window, holed, sums)) {
        since += piece;
        if (since < SLICE) continue;
        since = 0;
        await turn();
        throwIfAborted(context.signal);
      }
    }
  } finally {
    reader.close();
  }
  return {
    runsOf: (file) => holed.get(file) ?? wholeRun(Math.ceil(file.content.size / BLOCK)),
    fingerprint: fingerprint(tree, sums),
  };
}

/** Reads one file; yields the bytes read with each step. */
function* inspect(
  file: File,
  window: StoredWindow,
  holed: Map<File, Runs>,
  sums: Map<Node, number>,
): Generator<number> {
  const { content } = file;
  const data = new RunBuilder();
  let sum = 0;
  for (const { start, view } of pieces(content, window)) {
    sum = crc32(view, sum);
    markData(view, start, data);
    yield view.length;
  }
  sums.set(file, sum);
  const whole = Math.ceil(content.size / BLOCK);
  if (whole > 0 && data.runs[1] !== whole) holed.set(file, data.runs);
}

/** The stored bytes of a file, in pieces that end at block boundaries where the segment does not. */
function* pieces(content: Content, window: StoredWindow): Generator<{ start: number; view: Buffer }> {
  let position = content.offset;
  for (const { start, length, at } of segmentsOf(content)) {
    position = at ?? position;
    for (let done = 0; done < length; ) {
      const room = StoredWindow.SIZE - ((start + done) % BLOCK);
      const view = window.view(content.layer, position + done, Math.min(room, length - done));
      yield { start: start + done, view };
      done += view.length;
    }
    position += length;
  }
}

/** Adds the blocks that `view`, which lies at byte `start` of the file, puts something else than zeros in. */
function markData(view: Buffer, start: number, data: RunBuilder): void {
  for (let at = 0; at < view.length; ) {
    const block = Math.floor((start + at) / BLOCK);
    const end = Math.min(view.length, (block + 1) * BLOCK - start);
    if (!isZero(view, at, end)) data.add(block);
    at = end;
  }
}

function isZero(view: Buffer, from: number, to: number): boolean {
  if (view[from] !== 0 || view[to - 1] !== 0) return false;
  return view.compare(ZEROS, 0, to - from, from, to) === 0;
}

/** Hashes names, metadata and the checksums of content, in tree order; inodes that share a number are one. */
function fingerprint(tree: NumberedTree, sums: ReadonlyMap<Node, number>): Buffer {
  const hash = createHash('sha256');
  let lines: string[] = [];
  for (const { path, node } of walk(tree.root)) {
    lines.push(lineOf(path, node, tree.numberOf(node), sums.get(node)));
    if (lines.length < LINES) continue;
    hash.update(lines.join('\n'), 'latin1').update('\n');
    lines = [];
  }
  return hash.update(lines.join('\n'), 'latin1').digest();
}

function lineOf(path: string, node: Node, number: number, sum: number | undefined): string {
  const { mode, uid, gid, mtime, xattrs } = node.meta;
  let line = `${path}\0${number} ${node.kind} ${mode} ${uid} ${gid} ${mtime}`;
  if (node.kind === 'file') line += ` ${node.content.size} ${sum} ${node.content.segments?.length}`;
  else if (node.kind === 'symlink') line += ` ${node.target.length} ${node.target}`;
  else if (node.kind === 'char' || node.kind === 'block') line += ` ${node.major} ${node.minor}`;
  for (const [name, value] of xattrs) line += ` ${name} ${value.length} ${value.toString('latin1')}`;
  return line;
}

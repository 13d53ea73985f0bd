import { createHash } from 'node:crypto';
import type { Context } from '../context.js';
import { Meter } from '../meter.js';
import type { Directory, File, Node } from '../rootfs/node.js';
import { walk } from '../rootfs/walk.js';
import { sharedUint32 } from '../threads/shared.js';
import { BLOCK } from './block.js';
import type { ContentPool } from './content/pool.js';
import { RowBuilder } from './content/rows.js';
import { intersect, type Runs, union } from './runs.js';

/** A tree whose content is to be read. */
export interface SurveyedTree {
  readonly root: Directory;
  /** Every file, each inode once, in the order in which their content is best read. */
  readonly files: readonly File[];
  /** A number for every inode. */
  numberOf(node: Node): number;
}

/** What reading all content once tells. */
export interface Survey {
  /** The blocks of a file that are not zeros throughout. */
  runsOf(file: File): Runs;
  /** Checksums of a file's content, which equal files have in common; others may have them too. */
  sumsOf(file: File): Uint32Array;
  /** 32 bytes that change with any name, metadata or content of the tree. */
  readonly fingerprint: Buffer;
}

/** Lines of a fingerprint that are hashed together. */
const LINES = 1024;

/**
 * Reads all content, in order, for its runs of zero blocks and its checksums. Layer tars hold sparse files
 * inflated, and an image is sized before it is written: so the holes must be known first. Reports the phase `plan`. Throws `INTERRUPTED`.
 */
export async function survey(
  tree: SurveyedTree,
  pool: ContentPool,
  context: Pick<Context, 'report'>,
): Promise<Survey> {
  // As if all files lay one after another, each from a block of its own.
  const { files } = tree;
  const starts = new Float64Array(files.length + 1);
  const firstRows = new Uint32Array(files.length + 1);
  const indices = new Map<File, number>();
  const builder = new RowBuilder();
  for (const [i, file] of files.entries()) {
    const { content } = file;
    const count = Math.ceil(content.size / BLOCK);
    builder.addFile(content, [{ logical: 0, physical: starts[i]!, count }]);
    starts[i + 1] = starts[i]! + count;
    firstRows[i + 1] = builder.length;
    indices.set(file, i);
  }
  const rows = builder.finish();
  const sums = sharedUint32(rows.length);
  const data = union(
    await pool.start(rows, { kind: 'survey', sums }).finish(new Meter(context, 'plan', rows.bytes)),
  );
  const runsOf = (file: File): Runs => {
    const i = indices.get(file)!;
    return intersect(data, starts[i]!, starts[i + 1]!);
  };
  const sumsOf = (file: File): Uint32Array => {
    const i = indices.get(file)!;
    return sums.subarray(firstRows[i]!, firstRows[i + 1]!);
  };
  return { runsOf, sumsOf, fingerprint: fingerprint(tree, sums) };
}

/** Hashes checksums of content, and names and metadata in tree order; inodes that share a number are one. */
function fingerprint(tree: SurveyedTree, sums: Uint32Array): Buffer {
  const hash = createHash('sha256');
  let lines: string[] = [];
  for (const { path, node } of walk(tree.root)) {
    lines.push(lineOf(path, node, tree.numberOf(node)));
    if (lines.length < LINES) continue;
    hash.update(lines.join('\n'), 'latin1').update('\n');
    lines = [];
  }
  return hash.update(lines.join('\n'), 'latin1').update(sums).digest();
}

function lineOf(path: string, node: Node, number: number): string {
  const { mode, uid, gid, mtime, xattrs } = node.meta;
  let line = `${path}\0${number} ${node.kind} ${mode} ${uid} ${gid} ${mtime}`;
  if (node.kind === 'file') line += ` ${node.content.size} ${node.content.segments?.length}`;
  else if (node.kind === 'symlink') line += ` ${node.target.length} ${node.target}`;
  else if (node.kind === 'char' || node.kind === 'block') line += ` ${node.major} ${node.minor}`;
  for (const [name, value] of xattrs) line += ` ${name} ${value.length} ${value.toString('latin1')}`;
  return line;
}

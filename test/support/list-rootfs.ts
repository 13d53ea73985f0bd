import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { ContentReader } from '../../src/layer/content.js';
import type { Content, Node, Rootfs } from '../../src/rootfs/node.js';
import { walk } from '../../src/rootfs/walk.js';
import type { Row } from './listing.js';

const KINDS = { file: 'f', directory: 'd', symlink: 'l', char: 'c', block: 'b', fifo: 'p' } as const;

/** The names of a tree in memory. Asserts that its counts and link counts are right. */
export function listRootfs(rootfs: Rootfs): Row[] {
  const names = new Map<Node, string[]>();
  for (const { path, node } of walk(rootfs.root)) names.set(node, [...(names.get(node) ?? []), path]);
  const reader = new ContentReader();
  const rows: Row[] = [];
  let bytes = 0;
  for (const [node, paths] of names) {
    if (node.kind !== 'directory') assert.equal(node.nlink, paths.length, `link count of ${paths[0]}`);
    if (node.kind === 'file') bytes += node.content.size;
    const row = rowOf(node, reader);
    const group = paths.length > 1 ? { group: paths[0]! } : {};
    for (const path of paths) rows.push({ path: path === '' ? '.' : path, ...row, ...group });
  }
  reader.close();
  assert.deepEqual(
    { entries: rootfs.entries, inodes: rootfs.inodes, bytes: rootfs.bytes },
    { entries: rows.length, inodes: names.size, bytes },
  );
  return rows;
}

function rowOf(node: Node, reader: ContentReader): Omit<Row, 'path'> {
  const row = { kind: KINDS[node.kind], ...node.meta };
  switch (node.kind) {
    case 'file':
      return { ...row, size: node.content.size, sha256: digest(node.content, reader) };
    case 'symlink':
      return { ...row, target: node.target };
    case 'char':
    case 'block':
      return { ...row, device: `${node.major}:${node.minor}` };
    default:
      return row;
  }
}

function digest(content: Content, reader: ContentReader): string {
  const hash = createHash('sha256');
  for (let at = 0; at < content.size; at += 2 ** 20) {
    const window = Buffer.alloc(Math.min(2 ** 20, content.size - at));
    reader.read(content, at, window);
    hash.update(window);
  }
  return hash.digest('hex');
}

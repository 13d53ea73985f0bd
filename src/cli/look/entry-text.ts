import { showDate } from '../../rootfs/date.js';
import { sameMetadata } from '../../rootfs/diff.js';
import { modeText } from '../../rootfs/mode.js';
import type { Metadata, Node } from '../../rootfs/node.js';
import { visibleText } from '../../rootfs/path-text.js';
import { countText } from '../../size-text.js';

/** An inode for a sentence: `-rw-r--r-- 0:0, 1,400 bytes`. */
export function nodeText(node: Node, meta: Metadata): string {
  const more =
    node.kind === 'file'
      ? `, ${bytesText(node.content.size)}`
      : node.kind === 'symlink'
        ? ` -> ${visibleText(node.target)}`
        : 'major' in node
          ? `, ${node.major}:${node.minor}`
          : '';
  return `${modeText(node.kind, meta.mode)} ${meta.uid}:${meta.gid}${more}`;
}

/** In what metadata differs: `mode 0644 -> 0600, owner 0:0 -> 7:7`; empty where in nothing. */
export function changesText(before: Metadata, after: Metadata): string {
  const octal = (mode: number) => mode.toString(8).padStart(4, '0');
  const pairs = [
    ['mode', octal(before.mode), octal(after.mode)],
    ['owner', `${before.uid}:${before.gid}`, `${after.uid}:${after.gid}`],
    ['time', showDate(before.mtime), showDate(after.mtime)],
  ];
  const changes = pairs.filter(([, a, b]) => a !== b).map(([name, a, b]) => `${name} ${a} -> ${b}`);
  const isOther = !sameMetadata(
    { ...before, mode: 0, uid: 0, gid: 0, mtime: 0n },
    { ...after, mode: 0, uid: 0, gid: 0, mtime: 0n },
  );
  return [...changes, ...(isOther ? ['other xattrs'] : [])].join(', ');
}

/** `1 byte`, `1,400 bytes`. */
export function bytesText(bytes: number): string {
  return bytes === 1 ? '1 byte' : `${countText(bytes)} bytes`;
}

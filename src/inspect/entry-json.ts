import { showDate } from '../rootfs/date.js';
import type { Node } from '../rootfs/node.js';
import { textOf } from '../rootfs/path-text.js';

/** A name and its inode as `--json` has them. Text is as {@link textOf} writes it; xattrs are in base64. */
export interface EntryJson {
  readonly path: string;
  readonly type: Node['kind'];
  /** In octal, as `0644`. */
  readonly mode: string;
  readonly uid: number;
  readonly gid: number;
  /** ISO 8601, in UTC. */
  readonly mtime: string;
  readonly links: number;
  /** Bytes of a file. */
  readonly size?: number;
  /** Of a symlink. */
  readonly target?: string;
  /** Of a device. */
  readonly major?: number;
  readonly minor?: number;
  readonly xattrs?: Readonly<Record<string, string>>;
}

/** `path` is latin1; the root is `.`. */
export function entryJson(path: string, node: Node): EntryJson {
  const { kind, meta, nlink } = node;
  return {
    path: textOf(path) || '.',
    type: kind,
    mode: meta.mode.toString(8).padStart(4, '0'),
    uid: meta.uid,
    gid: meta.gid,
    mtime: showDate(meta.mtime),
    links: nlink,
    ...(node.kind === 'file' && { size: node.content.size }),
    ...(node.kind === 'symlink' && { target: textOf(node.target) }),
    ...('major' in node && { major: node.major, minor: node.minor }),
    ...(meta.xattrs.size > 0 && {
      xattrs: Object.fromEntries(
        [...meta.xattrs].map(([name, value]) => [textOf(name), value.toString('base64')]),
      ),
    }),
  };
}

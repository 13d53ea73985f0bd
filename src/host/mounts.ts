import { readFileSync } from 'node:fs';

/** Something that is mounted. */
export interface Mount {
  /** Where: a real path. */
  readonly point: string;
  /** The kind of file system, as `ext3`. */
  readonly kind: string;
  /** What is mounted, as `/dev/loop0`. */
  readonly source: string;
  /** The file system, as `8:1`. */
  readonly device: string;
  /** The directory of the file system that is seen at `point`; another than `/` where a part of it is mounted. */
  readonly root: string;
}

/**
 * All mounts, the last one at a point being the one that is seen; none where the system does not list them. Lines of
 * `/proc/self/mountinfo` (proc_pid_mountinfo(5)): the third to fifth fields are device, root and mount point, odd bytes as
 * `\ooo`; behind a hyphen stand kind and source.
 */
export function mounts(): Mount[] {
  let table: string;
  try {
    table = readFileSync('/proc/self/mountinfo', 'latin1');
  } catch {
    return [];
  }
  return table
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [head = '', tail = ''] = line.split(' - ');
      const [kind = '', source = ''] = tail.split(' ');
      const [, , device = '', root = '', point = ''] = head.split(' ');
      return { point: unescaped(point), kind, source, device, root: unescaped(root) };
    });
}

function unescaped(field: string): string {
  const bytes = field.replace(/\\([0-7]{3})/g, (_, octal) => String.fromCharCode(Number.parseInt(octal, 8)));
  return Buffer.from(bytes, 'latin1').toString();
}

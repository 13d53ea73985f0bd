import { readFileSync } from 'node:fs';

/** Something that is mounted. */
export interface Mount {
  /** Where: a real path. */
  readonly point: string;
  /** The kind of file system, as `ext3`. */
  readonly kind: string;
  /** What is mounted, as `/dev/loop0`. */
  readonly source: string;
}

/**
 * All mounts, the last one at a point being the one that is seen; none where the system does not list them. Lines of
 * `/proc/self/mountinfo` (proc_pid_mountinfo(5)): the fifth field is the mount point, odd bytes as `\ooo`; behind a
 * hyphen stand kind and source.
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
      return { point: unescaped(head.split(' ')[4] ?? ''), kind, source };
    });
}

/** The mount points at or below a directory (real path, no trailing slash). */
export function mountsBelow(directory: string): string[] {
  return mounts()
    .map(({ point }) => point)
    .filter((point) => point === directory || point.startsWith(`${directory}/`));
}

function unescaped(field: string): string {
  const bytes = field.replace(/\\([0-7]{3})/g, (_, octal) => String.fromCharCode(Number.parseInt(octal, 8)));
  return Buffer.from(bytes, 'latin1').toString();
}

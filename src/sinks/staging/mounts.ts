import { readFileSync } from 'node:fs';

/**
 * The mount points at or below a directory (real path, no trailing slash); none where the system does not list them.
 * Lines of `/proc/self/mountinfo` (proc_pid_mountinfo(5)): the fifth field is the mount point, odd bytes as `\ooo`.
 */
export function mountsBelow(directory: string): string[] {
  let table: string;
  try {
    table = readFileSync('/proc/self/mountinfo', 'latin1');
  } catch {
    return [];
  }
  return table
    .split('\n')
    .map((line) => unescaped(line.split(' ')[4] ?? ''))
    .filter((point) => point === directory || point.startsWith(`${directory}/`));
}

function unescaped(field: string): string {
  const bytes = field.replace(/\\([0-7]{3})/g, (_, octal) => String.fromCharCode(Number.parseInt(octal, 8)));
  return Buffer.from(bytes, 'latin1').toString();
}

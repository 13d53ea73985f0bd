import type { Directory, Node } from '../rootfs/node.js';
import { byBytes } from '../rootfs/walk.js';

const TYPE = {
  file: 'file',
  directory: 'dir',
  symlink: 'link',
  char: 'char',
  block: 'block',
  fifo: 'fifo',
} as const satisfies Record<Node['kind'], string>;

/**
 * A tree as a specification of BSD's mtree, a line at a time, without line ends: each directory, what is in it, and `..`. The digests of files are not
 * in it, since nothing but headers is read, and xattrs are not, since bsdtar refuses what it does not know. Source: mtree(5); vis(3) for names.
 */
export function* mtreeLines(root: Directory): Generator<string> {
  yield '#mtree v2.0';
  yield `. ${keywords(root)}`;
  const stack = [namesOf(root)];
  for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
    const next = top.names.pop();
    if (next === undefined) {
      stack.pop();
      yield '..';
      continue;
    }
    const node = top.directory.children.get(next)!;
    yield `${escaped(next)} ${keywords(node)}`;
    if (node.kind === 'directory') stack.push(namesOf(node));
  }
}

/** A directory and the names in it that are still to come, the first one last. */
function namesOf(directory: Directory): { directory: Directory; names: string[] } {
  return { directory, names: [...directory.children.keys()].sort(byBytes).reverse() };
}

function keywords(node: Node): string {
  const { kind, nlink, meta } = node;
  const { mode, uid, gid, mtime } = meta;
  const words = [
    `type=${TYPE[kind]}`,
    `mode=${mode === 0 ? '0' : `0${mode.toString(8)}`}`,
    `uid=${uid}`,
    `gid=${gid}`,
    `time=${seconds(mtime)}`,
  ];
  if (kind !== 'directory') words.push(`nlink=${nlink}`);
  if (node.kind === 'file') words.push(`size=${node.content.size}`);
  if (node.kind === 'symlink') words.push(`link=${escaped(node.target)}`);
  if ('major' in node) words.push(`device=native,${node.major},${node.minor}`);
  return words.join(' ');
}

/** Seconds, a dot, and nanoseconds; of a time before 1970 the nanoseconds count backwards as the seconds do. */
function seconds(time: bigint): string {
  const size = time < 0n ? -time : time;
  const digits = String(size).padStart(10, '0');
  return `${time < 0n ? '-' : ''}${digits.slice(0, -9)}.${digits.slice(-9)}`;
}

/** As vis(3) with `VIS_OCTAL | VIS_GLOB | VIS_WHITE`: what is no visible character of ASCII, and what mtree would take for something else, is `\` and three octal digits. */
function escaped(name: string): string {
  return name.replace(/[^!-~]|[\\#*?[=]/g, (byte) => `\\${byte.charCodeAt(0).toString(8).padStart(3, '0')}`);
}

import type { Losses } from '../../losses.js';
import type { Metadata } from '../../rootfs/node.js';
import { feed } from './commands.js';

/** An inode with xattrs. */
export interface Marked {
  readonly host: Buffer;
  /** In the image, latin1. */
  readonly path: string;
  readonly xattrs: Metadata['xattrs'];
}

/**
 * Sets xattrs without the C library, in the given order: setfattr(1) reads them all as a dump. What cannot be set is a
 * loss. `root` is the host path of the tree.
 */
export async function restoreXattrs(marked: readonly Marked[], root: string, losses: Losses): Promise<void> {
  const { isMissing, stderr } = await feed('setfattr', ['-h', '--restore=-'], dumps(marked));
  if (isMissing) {
    for (const { path, xattrs } of marked) {
      for (const name of xattrs.keys())
        losses.add('xattr', path, `${name}: neither koffi nor setfattr is there`);
    }
  }
  // A line for each xattr that was refused; the others are set all the same.
  for (const line of stderr) {
    const [, host, reason] = /^setfattr: (.*): (.*)$/.exec(line) ?? [];
    if (host === undefined) continue;
    losses.add('xattr', unquoted(host).slice(Buffer.byteLength(root) + 1), reason!);
  }
}

function* dumps(marked: readonly Marked[]): Generator<Buffer> {
  for (const each of marked) yield dump(each);
}

/** As getfattr(1) with `-e hex` prints it. */
function dump({ host, xattrs }: Marked): Buffer {
  const lines = [`# file: ${quoted(host.toString('latin1'))}`];
  for (const [name, value] of xattrs) lines.push(`${quoted(name)}=0x${value.toString('hex')}`);
  return Buffer.from(`${lines.join('\n')}\n\n`, 'latin1');
}

function quoted(text: string): string {
  return text.replace(/[^!-<>-[\]-~]/g, (char) => `\\${char.charCodeAt(0).toString(8).padStart(3, '0')}`);
}

function unquoted(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal) => String.fromCharCode(Number.parseInt(octal, 8)));
}

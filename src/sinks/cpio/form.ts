import { TYPE } from '../../rootfs/mode.js';
import type { Node } from '../../rootfs/node.js';
import type { ArchiveForm, Encoding } from '../archive/chunks.js';
import { wholeSeconds } from '../archive/whole-seconds.js';
import { newcHeader } from './header.js';

/**
 * How a tree stands in a cpio archive of the form `newc`. The root is `.`; names have no leading `./`. Inodes are numbered in
 * the order of the archive. Of a file with several names the last one has the content, as GNU cpio and Linux's own
 * gen_init_cpio write it. Source: Linux, Documentation/driver-api/early-userspace/buffer-format.rst.
 */
export class CpioForm implements ArchiveForm {
  readonly alignment = 4;
  readonly end = newcHeader({
    ino: 0,
    mode: 0,
    uid: 0,
    gid: 0,
    nlink: 1,
    mtime: 0,
    size: 0,
    name: 'TRAILER!!!',
  });
  readonly #numbers = new Map<Node, number>();
  /** Names that are still to come. */
  readonly #left = new Map<Node, number>();
  #last = 0;

  encode(path: string, node: Node): Encoding {
    const isLast = this.#isLastName(node);
    const { mode, uid, gid, mtime } = node.meta;
    const target = node.kind === 'symlink' ? node.target : '';
    const size = node.kind === 'file' && isLast ? node.content.size : 0;
    const isDevice = node.kind === 'char' || node.kind === 'block';
    const header = newcHeader({
      ino: this.#numberOf(node),
      mode: TYPE[node.kind] | mode,
      uid,
      gid,
      nlink: node.nlink,
      mtime: wholeSeconds(mtime),
      size: size + target.length,
      name: path === '' ? '.' : path,
      ...(isDevice && { major: node.major, minor: node.minor }),
      body: target,
    });
    const parts = node.kind === 'file' && size > 0 ? [{ content: node.content, start: 0, length: size }] : [];
    return { header, parts, stored: size, size };
  }

  #numberOf(node: Node): number {
    const known = this.#numbers.get(node);
    if (known !== undefined) return known;
    const number = ++this.#last;
    if (isLinked(node)) this.#numbers.set(node, number);
    return number;
  }

  #isLastName(node: Node): boolean {
    if (!isLinked(node)) return true;
    const left = (this.#left.get(node) ?? node.nlink) - 1;
    this.#left.set(node, left);
    return left === 0;
  }
}

function isLinked({ kind, nlink }: Node): boolean {
  return kind !== 'directory' && nlink > 1;
}

import type { Node } from '../../rootfs/node.js';
import type { ArchiveForm, Encoding } from '../archive/chunks.js';
import { isWhole, wholeSeconds } from '../archive/whole-seconds.js';
import { TarForm } from '../tar/members.js';
import { isLeftOut } from './plan.js';

const SECOND = 1_000_000_000n;

/**
 * A tar as sqfstar 4.5 reads it: times in whole seconds, since it stops at a PAX time without a fraction and drops the fraction
 * of others; holes as zeros, since it mistakes sparse files' maps, and finds runs of zeros by itself; no ACLs, which it warns of; no entry of the root, which it does not take.
 */
export class SqfstarForm implements ArchiveForm {
  readonly alignment: number;
  readonly end: Buffer;
  readonly #tar: TarForm;
  /** The inodes as they are written: the tar tells hard links by the inode. */
  readonly #cut = new Map<Node, Node>();

  constructor() {
    this.#tar = new TarForm({ sparse: false, leavesOut: isLeftOut });
    this.alignment = this.#tar.alignment;
    this.end = this.#tar.end;
  }

  encode(path: string, node: Node): Encoding | undefined {
    if (path === '') return undefined;
    return this.#tar.encode(path, this.#withWholeSeconds(node));
  }

  #withWholeSeconds(node: Node): Node {
    if (isWhole(node.meta.mtime)) return node;
    const known = this.#cut.get(node);
    if (known !== undefined) return known;
    const mtime = BigInt(wholeSeconds(node.meta.mtime)) * SECOND;
    const cut = { ...node, meta: { ...node.meta, mtime } };
    if (node.kind !== 'directory' && node.nlink > 1) this.#cut.set(node, cut);
    return cut;
  }
}

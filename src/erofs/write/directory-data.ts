import type { Directory } from '../../rootfs/node.js';
import { packNames, storedNames, writeEntries } from '../directory.js';
import { ENTRY_TYPE, SLOT } from '../format.js';
import type { ImagePlan } from '../image-plan.js';

/** The bytes of a directory, block by block. */
export class DirectoryData {
  readonly number: number;
  readonly size: number;
  readonly #names: readonly string[];
  readonly #firsts: readonly number[];
  readonly #directory: Directory;
  readonly #plan: ImagePlan;

  constructor(directory: Directory, number: number, plan: ImagePlan) {
    this.#names = storedNames(directory);
    const { firsts, size } = packNames(this.#names);
    this.#firsts = firsts;
    this.size = size;
    this.#directory = directory;
    this.number = number;
    this.#plan = plan;
  }

  get blocks(): number {
    return this.#firsts.length;
  }

  /** Writes a block into zeroed bytes, as many as it has or more. */
  writeBlock(index: number, into: Buffer): void {
    const names = this.#names.slice(this.#firsts[index], this.#firsts[index + 1]);
    writeEntries(
      into,
      names.map((name) => this.#entry(name)),
    );
  }

  #entry(name: string): { name: string; nid: number; type: number } {
    const { tree, positions } = this.#plan;
    const nidOf = (number: number) => positions[number]! / SLOT;
    if (name === '.') return { name, nid: nidOf(this.number), type: ENTRY_TYPE.directory };
    if (name === '..') return { name, nid: nidOf(tree.parentOf(this.number)), type: ENTRY_TYPE.directory };
    const node = this.#directory.children.get(name)!;
    return { name, nid: nidOf(tree.numberOf(node)), type: ENTRY_TYPE[node.kind] };
  }
}

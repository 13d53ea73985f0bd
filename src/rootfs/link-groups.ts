import type { Directory, Node } from './node.js';
import { walk } from './walk.js';

/** The names of the inodes that have several. */
export class LinkGroups {
  readonly #names = new Map<Node, string>();

  /** `root` is of a finished tree, so that `nlink` is right. */
  constructor(root: Directory) {
    const names = new Map<Node, string[]>();
    for (const { path, node } of walk(root)) {
      if (node.kind === 'directory' || node.nlink < 2) continue;
      const before = names.get(node);
      if (before === undefined) names.set(node, [path]);
      else before.push(path);
    }
    for (const [node, paths] of names) this.#names.set(node, paths.join('\0'));
  }

  /** All names of an inode in one text, which is equal for equal names; undefined for an inode that has one name. */
  namesOf(node: Node): string | undefined {
    return this.#names.get(node);
  }
}

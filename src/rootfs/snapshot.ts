import { type Directory, directory } from './node.js';

/** A tree as it is now, whatever is merged onto it later: directories are copied, all other inodes, which nothing changes, are shared. */
export function snapshot(root: Directory): Directory {
  const copy = directory(root.meta);
  const pairs: [Directory, Directory][] = [[root, copy]];
  for (let pair = pairs.pop(); pair !== undefined; pair = pairs.pop()) {
    const [from, to] = pair;
    for (const [name, node] of from.children) {
      if (node.kind !== 'directory') {
        to.children.set(name, node);
        continue;
      }
      const below = directory(node.meta);
      to.children.set(name, below);
      pairs.push([node, below]);
    }
  }
  return copy;
}

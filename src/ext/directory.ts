import { entrySize } from './structures/dirent.js';
import { BLOCK } from './structures/features.js';
import { type HashSeed, hashName } from './structures/hash.js';
import { NODE_LIMIT, ROOT_LIMIT } from './structures/htree.js';

/** `.` and `..` */
const DOTS = 24;
/** Names whose hash and rank fit in one double: 31 bits of hash (its lowest is 0), 22 of rank. */
export const MAX_HASHED_NAMES = 2 ** 22;

/** Names in the order in which their entries lie. */
export interface PackedDirectory {
  readonly names: readonly string[];
  /** A hashed directory's leaves; absent if all entries fit in one block. */
  readonly leaves?: readonly Leaf[];
}

/** A block of names whose hashes follow one another. */
export interface Leaf {
  /** The first of its names, as an index. */
  readonly first: number;
  /** Of its first name; odd where names of the same hash lie in the leaf before, too. */
  readonly hash: number;
}

/** Whether one block holds all entries; else the directory is hashed. */
export function fitsOneBlock(names: Iterable<string>): boolean {
  let size = DOTS;
  for (const name of names) {
    size += entrySize(name);
    if (size > BLOCK) return false;
  }
  return true;
}

/** Orders a directory's names: by their bytes in one block, by hash in more. A leaf is filled before the next is begun. */
export function packDirectory(names: Iterable<string>, seed: HashSeed): PackedDirectory {
  const sorted = [...names].sort(); // by code units, which are bytes here
  if (fitsOneBlock(sorted)) return { names: sorted };
  const keys = Float64Array.from(
    sorted,
    (name, rank) => (hashName(name, seed) / 2) * MAX_HASHED_NAMES + rank,
  ).sort();
  const leaves: Leaf[] = [];
  let used = BLOCK;
  let last = -1;
  const ordered = Array.from(keys, (key, first) => {
    const name = sorted[key % MAX_HASHED_NAMES]!;
    const hash = Math.floor(key / MAX_HASHED_NAMES) * 2;
    const size = entrySize(name);
    if (used + size > BLOCK) {
      leaves.push({ first, hash: hash === last ? hash + 1 : hash });
      used = 0;
    }
    used += size;
    last = hash;
    return name;
  });
  return { names: ordered, leaves };
}

/** How the index of a hashed directory is made up. */
export interface IndexShape {
  /** Nodes between root and leaves: 0 while the root can name all leaves. */
  readonly nodes: number;
  /** Of the whole directory. */
  readonly blocks: number;
}

export function indexShape(leaves: number): IndexShape {
  const nodes = leaves <= ROOT_LIMIT ? 0 : Math.ceil(leaves / NODE_LIMIT);
  return { nodes, blocks: 1 + nodes + leaves };
}

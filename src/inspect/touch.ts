import type { Metadata, Node } from '../rootfs/node.js';

/**
 * What a layer did to a path:
 * - `added`: the name is new;
 * - `replaced`: it takes the place of what had the name;
 * - `described`: an entry for a directory that was there already: its metadata counts from now on;
 * - `whiteout`: a whiteout of the name, or of a directory above it, removed it;
 * - `opaque`: an opaque marker in a directory above it hid it;
 * - `covered`: something else took the place of a directory above it.
 */
export type Act = 'added' | 'replaced' | 'described' | 'whiteout' | 'opaque' | 'covered';

/** One thing that a layer did to a path. */
export interface Touch {
  /** Counted from 1, the base. */
  readonly layer: number;
  readonly act: Act;
  /** The rule that decided, as src/rootfs/README.md numbers them; absent for a new name, which nothing has to decide. */
  readonly rule?: number;
  /** What has the name from now on; absent where nothing has. */
  readonly node?: Node;
  /** Its metadata then: a directory's may change later. */
  readonly meta?: Metadata;
  /** The layer's entry is a hard link to an inode that had another name already. */
  readonly isLink?: boolean;
  /** A directory that no entry describes: something below it has one. */
  readonly isImplied?: boolean;
  /** What does not show any more; absent where nothing was there. */
  readonly hid?: Node;
  /** Of `described`: the metadata before. */
  readonly before?: Metadata;
  /** Where that was done which had this effect here: the path itself, or a directory above it. Latin1. */
  readonly at: string;
}

/** Whether the path has nothing after this. */
export function isRemoval({ act }: Pick<Touch, 'act'>): boolean {
  return act === 'whiteout' || act === 'opaque' || act === 'covered';
}

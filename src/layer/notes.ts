import type { Directory, Metadata } from '../rootfs/node.js';
import { walk } from '../rootfs/walk.js';
import type { NamedAcl } from '../tar/entry.js';

/** What the entries of an image's layers say beside their inodes. One serves all layers of an image. */
export class Notes {
  /** The path, as written, of the first entry that is as overlayfs keeps it on its disk. */
  overlay: string | undefined;
  /** Whether an inode has {@link Metadata.unread}. */
  hasUnread = false;
  /** ACLs that will be xattrs once it is known whom they name. */
  readonly namedAcls: NamedAcl[] = [];
}

/** Something that the image has and the tree has not. */
export interface NotTaken {
  readonly kind: string;
  readonly count: number;
  /** Its first path; latin1. */
  readonly example: string;
  readonly reason: string;
}

/** Kinds that are told of one by one: an image can have as many as entries. */
const MAX_KINDS = 30;
const OTHERS = { kind: 'other PAX records', reason: 'flatten takes nothing from them' };

/** What the inodes of a tree have in {@link Metadata.unread}, by kind, each inode once. */
export function notTaken(root: Directory): readonly NotTaken[] {
  const kinds = new Map<string, NotTaken>();
  const seen = new Set<Metadata>();
  for (const { path, node } of walk(root)) {
    const { unread } = node.meta;
    if (unread === undefined || seen.has(node.meta)) continue;
    seen.add(node.meta);
    for (const one of unread) {
      const { kind, reason } = kinds.has(one.kind) || kinds.size < MAX_KINDS ? one : OTHERS;
      const known = kinds.get(kind) ?? { kind, count: 0, example: path || '.', reason };
      kinds.set(kind, { ...known, count: known.count + 1 });
    }
  }
  return [...kinds.values()];
}

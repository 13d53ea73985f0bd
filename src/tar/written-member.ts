import type { TarEntry } from './entry.js';
import type { Run } from './sparse.js';

/** What a member's headers are made from. `path` is written as it is: a directory's should end in `/`. */
export type Member = Omit<TarEntry, 'offset' | 'headerBytes' | 'segments' | 'namedAcls' | 'unread'> & {
  readonly segments?: readonly Run[] | undefined;
  /** Whether ACLs stand there as text too, besides the xattrs that they are. Default false. */
  readonly hasAclText?: boolean;
};

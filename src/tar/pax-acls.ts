import { ACL_XATTRS, type AclEntry, aclMode, encodeAcl, isMinimal, parseAcl } from './acl.js';
import type { NamedAcl, NotRead, TarEntry } from './entry.js';
import type { PaxFields } from './pax.js';

/** The PAX records that hold ACLs (star, GNU tar `--acls`, libarchive, LXD). */
export const ACL_KEYS = { access: 'SCHILY.acl.access', default: 'SCHILY.acl.default' } as const;

export function hasAcls(fields: PaxFields): boolean {
  return fields.size > 0 && (fields.has(ACL_KEYS.access) || fields.has(ACL_KEYS.default));
}

/** What ACL records make of an entry, and which of them say nothing that Linux takes. */
export interface PaxAcls {
  readonly entry: Partial<Pick<TarEntry, 'xattrs' | 'mode' | 'namedAcls'>>;
  readonly unread: readonly NotRead[];
}

/**
 * Reads the ACL records among the fields. Where the xattr is there itself (`SCHILY.xattr.system.posix_acl_access`), it
 * counts: it has numbers for everybody, and it is what container engines take. An ACL goes before the mode, which has
 * the mask in place of the group's bits, as tar sets it last.
 */
export function paxAcls(entry: TarEntry, fields: PaxFields): PaxAcls {
  const xattrs = new Map(entry.xattrs);
  const namedAcls: NamedAcl[] = [];
  const unread: NotRead[] = [];
  let { mode } = entry;
  for (const kind of ['access', 'default'] as const) {
    const value = fields.get(ACL_KEYS[kind]);
    const xattr = ACL_XATTRS[kind];
    if (value === undefined || entry.type === 'link' || xattrs.has(xattr)) continue;
    const entries = mayHave(kind, entry) ? parseAcl(value) : undefined;
    if (entries === undefined) {
      unread.push({ kind: 'ACL', reason: `${ACL_KEYS[kind]} holds none that Linux takes` });
      continue;
    }
    if (kind === 'access') mode = (mode & ~0o777) | aclMode(entries);
    if (kind === 'access' && isMinimal(entries)) continue;
    if (entries.every(hasNumber)) xattrs.set(xattr, encodeAcl(entries));
    else namedAcls.push({ xattr, entries, into: xattrs });
  }
  return { entry: { xattrs, mode, ...(namedAcls.length > 0 && { namedAcls }) }, unread };
}

/** Symlinks have no ACL, and only directories hand one on. */
function mayHave(kind: 'access' | 'default', { type }: TarEntry): boolean {
  return kind === 'access' ? type !== 'symlink' : type === 'directory';
}

function hasNumber({ who }: AclEntry): boolean {
  return typeof who !== 'string';
}

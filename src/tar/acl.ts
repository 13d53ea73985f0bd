/**
 * POSIX ACLs as archives hold them: text, which GNU tar, star and libarchive write each in its way, and the form of the
 * system call, which an xattr has.
 * Source: acl(5); star(5), "SCHILY.acl.access"; Linux, include/uapi/linux/posix_acl_xattr.h.
 */
export interface AclEntry {
  readonly tag: (typeof TAGS)[keyof typeof TAGS];
  /** 0 to 7. */
  readonly permissions: number;
  /** Whom it means, where its tag is of those with a name: a number; or a name (latin1) that no number stands beside. */
  readonly who?: number | string;
}

export const TAGS = { owner: 1, user: 2, owningGroup: 4, group: 8, mask: 0x10, other: 0x20 } as const;

export const ACL_XATTRS = { access: 'system.posix_acl_access', default: 'system.posix_acl_default' } as const;

const VERSION = 2;
const HEADER = 4;
const ENTRY = 8;
const NO_ID = 0xffffffff;
/** An xattr's value has at most 64 KiB. */
const MAX_ENTRIES = (0x10000 - HEADER) / ENTRY;

/** What a PAX record of an ACL says, text or LXD's binary form. Undefined where that is no ACL that Linux takes. */
export function parseAcl(value: string): AclEntry[] | undefined {
  const entries = value.startsWith('\x02\0\0\0') ? fromCall(Buffer.from(value, 'latin1')) : fromText(value);
  return entries && isSound(entries) ? entries : undefined;
}

/** The form of the system call. Everybody is a number here. */
export function encodeAcl(entries: readonly AclEntry[]): Buffer {
  const call = Buffer.alloc(HEADER + entries.length * ENTRY);
  call.writeUInt32LE(VERSION);
  const sorted = [...entries].sort((a, b) => a.tag - b.tag || Number(a.who ?? 0) - Number(b.who ?? 0));
  for (const [index, { tag, permissions, who }] of sorted.entries()) {
    const at = HEADER + index * ENTRY;
    call.writeUInt16LE(tag, at);
    call.writeUInt16LE(permissions, at + 2);
    call.writeUInt32LE(typeof who === 'number' ? who : NO_ID, at + 4);
  }
  return call;
}

/** An ACL as text that GNU tar, star and bsdtar read alike, all in numbers; undefined for what is no ACL. */
export function aclText(call: Buffer): string | undefined {
  const entries = fromCall(call);
  if (entries === undefined || !isSound(entries)) return undefined;
  return entries
    .map(({ tag, permissions, who = '' }) => `${WORDS[tag]}:${who}:${letters(permissions)}`)
    .join(',');
}

/** Whether an ACL says no more than the permission bits of a mode. */
export function isMinimal(entries: readonly AclEntry[]): boolean {
  return entries.length === 3;
}

/** The nine permission bits that a file with this ACL has: the group's are the mask, where there is one. */
export function aclMode(entries: readonly AclEntry[]): number {
  const of = (tag: AclEntry['tag']) => entries.find((entry) => entry.tag === tag)?.permissions;
  return (of(TAGS.owner)! << 6) | ((of(TAGS.mask) ?? of(TAGS.owningGroup)!) << 3) | of(TAGS.other)!;
}

const WORDS: Readonly<Record<AclEntry['tag'], string>> = {
  1: 'user',
  2: 'user',
  4: 'group',
  8: 'group',
  16: 'mask',
  32: 'other',
};

function letters(permissions: number): string {
  return ['r', 'w', 'x'].map((letter, bit) => (permissions & (4 >> bit) ? letter : '-')).join('');
}

/** Entries stand in lines or with commas between them; what follows a `#` is a comment. */
function fromText(text: string): AclEntry[] | undefined {
  const entries: AclEntry[] = [];
  for (const line of text.split('\n')) {
    for (const part of line.replace(/#.*/s, '').split(',')) {
      const word = part.trim();
      if (word === '') continue;
      const entry = entries.length < MAX_ENTRIES ? entryFrom(word.split(':')) : undefined;
      if (entry === undefined) return undefined;
      entries.push(entry);
    }
  }
  return entries;
}

/** `user::rwx`, `user:NAME:rwx`, `user:NAME:rwx:NUMBER` (star, libarchive), `mask::rwx`, `other:rwx`; the first letter of a word will do. */
function entryFrom([word = '', second = '', third, number]: readonly string[]): AclEntry | undefined {
  const kind = /^(?:(u)(?:ser)?|(g)(?:roup)?|(m)(?:ask)?|(o)(?:ther)?)$/.exec(word);
  if (kind === null) return undefined;
  const [, isUser, isGroup, isMask] = kind;
  if (isUser === undefined && isGroup === undefined) {
    const permissions = fromLetters(third ?? second);
    if (permissions === undefined || (third !== undefined && second !== '')) return undefined;
    return { tag: isMask === undefined ? TAGS.other : TAGS.mask, permissions };
  }
  const permissions = fromLetters(third ?? '?');
  if (permissions === undefined) return undefined;
  if (second === '') return { tag: isUser === undefined ? TAGS.owningGroup : TAGS.owner, permissions };
  const who = [number ?? '', second].find((digits) => /^[0-9]{1,10}$/.test(digits));
  return {
    tag: isUser === undefined ? TAGS.group : TAGS.user,
    permissions,
    who: who === undefined ? unescaped(second) : Number(who),
  };
}

function fromLetters(text: string): number | undefined {
  if (!/^[rwx-]{1,3}$/.test(text)) return undefined;
  return [...'rwx'].reduce((sum, letter, bit) => sum | (text.includes(letter) ? 4 >> bit : 0), 0);
}

/** libacl writes odd bytes of names as `\ooo`. */
function unescaped(name: string): string {
  return name.replace(/\\([0-3][0-7]{2})/g, (_, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  );
}

function fromCall(call: Buffer): AclEntry[] | undefined {
  const count = (call.length - HEADER) / ENTRY;
  if (!Number.isInteger(count) || count < 0 || count > MAX_ENTRIES) return undefined;
  if (call.readUInt32LE(0) !== VERSION) return undefined;
  return Array.from({ length: count }, (_, index) => {
    const at = HEADER + index * ENTRY;
    const tag = call.readUInt16LE(at) as AclEntry['tag'];
    const permissions = call.readUInt16LE(at + 2);
    const hasName = tag === TAGS.user || tag === TAGS.group;
    return { tag, permissions, ...(hasName && { who: call.readUInt32LE(at + 4) }) };
  });
}

/** The three that every ACL has, a mask where somebody is named, and nobody twice. */
function isSound(entries: readonly AclEntry[]): boolean {
  const seen = new Set<string>();
  for (const { tag, permissions, who } of entries) {
    const key = `${tag} ${who ?? ''}`;
    const isPossible =
      WORDS[tag] !== undefined && permissions <= 7 && !(typeof who === 'number' && who >= NO_ID);
    if (!isPossible || seen.has(key)) return false;
    seen.add(key);
  }
  const has = (tag: number) => seen.has(`${tag} `);
  const isNamed = entries.some(({ who }) => who !== undefined);
  return has(TAGS.owner) && has(TAGS.owningGroup) && has(TAGS.other) && (has(TAGS.mask) || !isNamed);
}

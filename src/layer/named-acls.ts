import { readFileSync } from 'node:fs';
import { printable } from '../errors.js';
import type { Directory, Metadata } from '../rootfs/node.js';
import { eachName } from '../rootfs/walk.js';
import { type AclEntry, encodeAcl, TAGS } from '../tar/acl.js';
import type { Notes } from './notes.js';
import { smallFile } from './small-file.js';

/** The most names that a warning shows. */
const MAX_SHOWN = 5;

/**
 * Gives ACLs that name users and groups without a number (GNU tar writes them so) the numbers of the tree's own
 * `etc/passwd` and `etc/group`, where such names are from as a rule; else this machine's, as tar does, with a warning.
 * An entry for somebody whom neither knows is left out, and the {@link Metadata.unread} of its inodes tells of it; mask
 * and owning group stay, so that nobody gains access.
 */
export function settleNames(notes: Notes, root: Directory, warn: (message: string) => void): void {
  const books = [new Book((path) => smallFile(root, path)), new Book(onHost)];
  const foreign = new Set<string>();
  const unknown = new Map<Metadata['xattrs'], string>();
  for (const { xattr, entries, into } of notes.namedAcls) {
    const settled = new Map<string, AclEntry>();
    for (const entry of entries) {
      const { tag, permissions, who: name } = entry;
      if (typeof name !== 'string') {
        settled.set(`${tag} ${name}`, entry);
        continue;
      }
      const [own, host] = books.map((book) => book.numberOf(tag, name));
      const who = own ?? host;
      if (who === undefined) unknown.set(into, name);
      else {
        settled.set(`${tag} ${who}`, { tag, permissions, who });
        if (own === undefined) foreign.add(name);
      }
    }
    into.set(xattr, encodeAcl([...settled.values()]));
  }
  if (foreign.size > 0) warn(foreigners([...foreign]));
  if (unknown.size === 0) return;
  tellOf(unknown, root);
  notes.hasUnread = true;
}

function foreigners(names: readonly string[]): string {
  const shown = names.slice(0, MAX_SHOWN).map(printable).join(', ');
  const more = names.length > MAX_SHOWN ? `, and ${names.length - MAX_SHOWN} more` : '';
  return `ACLs name ${shown}${more}: etc/passwd and etc/group of the tree know nobody of that name, so the numbers are this machine's`;
}

/** Notes the names that nobody knows with the inodes whose ACLs had them. */
function tellOf(unknown: ReadonlyMap<Metadata['xattrs'], string>, root: Directory): void {
  const told = new Set<Metadata>();
  eachName(root, (node) => {
    const { meta } = node;
    const name = unknown.get(meta.xattrs);
    if (name === undefined || told.has(meta)) return;
    const reason = `it names ${printable(name)}, whom nobody knows here: that entry is left out`;
    node.meta = { ...meta, unread: [...(meta.unread ?? []), { kind: 'ACL', reason }] };
    told.add(node.meta);
  });
}

/** A passwd and a group file, read when they are first asked for. */
class Book {
  readonly #read: (path: string) => string;
  readonly #numbers = new Map<string, ReadonlyMap<string, number>>();

  /** `read` gives a file's text (latin1), `''` where there is none. */
  constructor(read: (path: string) => string) {
    this.#read = read;
  }

  numberOf(tag: AclEntry['tag'], name: string): number | undefined {
    const file = tag === TAGS.user ? 'etc/passwd' : 'etc/group';
    let numbers = this.#numbers.get(file);
    if (numbers === undefined) {
      numbers = numbersIn(this.#read(file));
      this.#numbers.set(file, numbers);
    }
    return numbers.get(name);
  }
}

/** `NAME:PASSWORD:NUMBER:…`, a line each; the first line of a name counts. */
function numbersIn(text: string): ReadonlyMap<string, number> {
  const numbers = new Map<string, number>();
  for (const [, name, digits] of text.matchAll(/^([^:\n]+):[^:\n]*:([0-9]{1,10})(?=:|$)/gm)) {
    if (!numbers.has(name!) && Number(digits) < 0xffffffff) numbers.set(name!, Number(digits));
  }
  return numbers;
}

function onHost(path: string): string {
  try {
    return readFileSync(`/${path}`, 'latin1');
  } catch {
    return ''; // a machine without users has no names to give
  }
}

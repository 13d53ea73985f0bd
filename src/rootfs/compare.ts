import { showDate } from './date.js';
import type { Content, Directory, Metadata, Node, Rootfs } from './node.js';
import { byBytes } from './walk.js';

/** In what a path differs from what is expected there. */
export type DifferenceKind =
  | 'missing'
  | 'added'
  | 'type'
  | 'content'
  | 'links'
  | 'target'
  | 'device'
  | 'mode'
  | 'owner'
  | 'mtime'
  | 'xattr';

/** One thing in which two trees differ. */
export interface Difference {
  readonly kind: DifferenceKind;
  /** From the root, `''` for the root itself; latin1. */
  readonly path: string;
  /** As `mode: 0644, expected 0600`. */
  readonly what: string;
}

/** How trees are compared. */
export interface CompareOptions {
  /** Whether two files of one size have the same bytes. */
  sameContent(expected: Content, actual: Content): boolean;
  /** Names at the root that the actual tree may have beyond the expected, as `lost+found`. */
  readonly mayAdd?: readonly string[];
}

/** Yields every difference between two trees, in byte order of the paths within each directory. */
export function* compare(expected: Rootfs, actual: Rootfs, options: CompareOptions): Generator<Difference> {
  const twins = new Map<Node, Node>();
  const pairs: [string, Directory, Directory][] = [['', expected.root, actual.root]];
  yield* describe('', expected.root, actual.root);
  for (let pair = pairs.pop(); pair !== undefined; pair = pairs.pop()) {
    const [prefix, wanted, found] = pair;
    const names = new Set([...wanted.children.keys(), ...found.children.keys()]);
    for (const name of [...names].sort(byBytes)) {
      const path = prefix + name;
      const a = wanted.children.get(name);
      const b = found.children.get(name);
      if (a === undefined) {
        if (prefix !== '' || !options.mayAdd?.includes(name))
          yield { kind: 'added', path, what: 'not expected' };
      } else if (b === undefined) yield { kind: 'missing', path, what: 'missing' };
      else if (a.kind !== b.kind) yield { kind: 'type', path, what: `${b.kind}, expected ${a.kind}` };
      else if (a.kind === 'directory') {
        yield* describe(path, a, b);
        pairs.push([`${path}/`, a, b as Directory]);
      } else yield* inode(path, a, b, twins, options);
    }
  }
}

function* inode(
  path: string,
  a: Node,
  b: Node,
  twins: Map<Node, Node>,
  options: CompareOptions,
): Generator<Difference> {
  const twin = twins.get(a);
  if (twin !== undefined) {
    if (twin !== b) yield { kind: 'links', path, what: 'an inode of its own, expected a hard link' };
    return;
  }
  twins.set(a, b);
  if (a.nlink !== b.nlink) yield { kind: 'links', path, what: `${b.nlink} links, expected ${a.nlink}` };
  yield* describe(path, a, b);
  if (a.kind === 'symlink' && b.kind === 'symlink' && a.target !== b.target) {
    yield {
      kind: 'target',
      path,
      what: `target ${JSON.stringify(b.target)}, expected ${JSON.stringify(a.target)}`,
    };
  }
  if ('major' in a && 'major' in b && (a.major !== b.major || a.minor !== b.minor)) {
    yield { kind: 'device', path, what: `device ${b.major}:${b.minor}, expected ${a.major}:${a.minor}` };
  }
  if (a.kind !== 'file' || b.kind !== 'file') return;
  if (a.content.size !== b.content.size) {
    yield { kind: 'content', path, what: `${b.content.size} bytes, expected ${a.content.size}` };
  } else if (!options.sameContent(a.content, b.content))
    yield { kind: 'content', path, what: 'other content' };
}

function* describe(path: string, { meta: a }: Node, { meta: b }: Node): Generator<Difference> {
  if (a.mode !== b.mode)
    yield { kind: 'mode', path, what: `mode ${octal(b.mode)}, expected ${octal(a.mode)}` };
  if (a.uid !== b.uid || a.gid !== b.gid) {
    yield { kind: 'owner', path, what: `owner ${b.uid}:${b.gid}, expected ${a.uid}:${a.gid}` };
  }
  if (a.mtime !== b.mtime) {
    yield { kind: 'mtime', path, what: `mtime ${showDate(b.mtime)}, expected ${showDate(a.mtime)}` };
  }
  yield* xattrs(path, a, b);
}

function* xattrs(path: string, a: Metadata, b: Metadata): Generator<Difference> {
  for (const name of [...new Set([...a.xattrs.keys(), ...b.xattrs.keys()])].sort(byBytes)) {
    const wanted = a.xattrs.get(name);
    const found = b.xattrs.get(name);
    if (wanted === undefined) yield { kind: 'xattr', path, what: `xattr ${name}, which is not expected` };
    else if (found === undefined) yield { kind: 'xattr', path, what: `xattr ${name} missing` };
    else if (!wanted.equals(found)) yield { kind: 'xattr', path, what: `xattr ${name} has another value` };
  }
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, '0');
}

import { type Aspect, type Change, differingXattrs } from './compare.js';
import { showDate } from './date.js';
import type { File, Metadata, Node } from './node.js';

/** In what a path differs from what is expected there. */
export type DifferenceKind = 'missing' | 'added' | Aspect;

/** One thing in which a tree differs from the one that was expected. */
export interface Difference {
  readonly kind: DifferenceKind;
  /** From the root, `''` for the root itself; latin1. */
  readonly path: string;
  /** As `mode: 0644, expected 0600`. */
  readonly what: string;
}

/**
 * What a change means where the first tree was expected: one difference for each thing, and none for further names of one inode, and for
 * what is below a name that is missing or added itself.
 */
export function* differencesIn(change: Change): Generator<Difference> {
  const { path, before, after, aspects, isFurtherName, isBelow } = change;
  if (isBelow || isFurtherName) return;
  if (before === undefined) yield { kind: 'added', path, what: 'not expected' };
  else if (after === undefined) yield { kind: 'missing', path, what: 'missing' };
  else for (const kind of aspects) for (const what of words(kind, before, after)) yield { kind, path, what };
}

function words(aspect: Aspect, a: Node, b: Node): string[] {
  switch (aspect) {
    case 'type':
      return [`${b.kind}, expected ${a.kind}`];
    case 'content':
      return [sizes(a as File, b as File)];
    case 'links':
      return [links(a, b)];
    case 'target':
      return [`target ${quoted(b)}, expected ${quoted(a)}`];
    case 'device':
      return [`device ${device(b)}, expected ${device(a)}`];
    case 'mode':
      return [`mode ${octal(b.meta)}, expected ${octal(a.meta)}`];
    case 'owner':
      return [`owner ${owner(b.meta)}, expected ${owner(a.meta)}`];
    case 'mtime':
      return [`mtime ${showDate(b.meta.mtime)}, expected ${showDate(a.meta.mtime)}`];
    case 'xattr':
      return differingXattrs(a.meta, b.meta).map((name) => xattr(name, a.meta, b.meta));
  }
}

function sizes({ content: a }: File, { content: b }: File): string {
  return a.size === b.size ? 'other content' : `${b.size} bytes, expected ${a.size}`;
}

function links(a: Node, b: Node): string {
  if (a.nlink !== b.nlink) return `${b.nlink} links, expected ${a.nlink}`;
  return 'hard links under other names than expected';
}

function quoted(node: Node): string {
  return JSON.stringify('target' in node ? node.target : '');
}

function device(node: Node): string {
  return 'major' in node ? `${node.major}:${node.minor}` : '';
}

function octal({ mode }: Metadata): string {
  return mode.toString(8).padStart(4, '0');
}

function owner({ uid, gid }: Metadata): string {
  return `${uid}:${gid}`;
}

function xattr(name: string, a: Metadata, b: Metadata): string {
  if (!a.xattrs.has(name)) return `xattr ${name}, which is not expected`;
  return b.xattrs.has(name) ? `xattr ${name} has another value` : `xattr ${name} missing`;
}

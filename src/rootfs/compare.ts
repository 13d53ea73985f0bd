import { LinkGroups } from './link-groups.js';
import type { Content, Metadata, Node, Rootfs } from './node.js';
import { walkBoth } from './walk-both.js';

/** In what two inodes at one path can differ. */
export const ASPECTS = [
  'type',
  'content',
  'target',
  'device',
  'mode',
  'owner',
  'mtime',
  'xattr',
  'links',
] as const;
export type Aspect = (typeof ASPECTS)[number];

/** A path at which two trees differ. */
export interface Change {
  /** From the root, `''` for the root itself; latin1. */
  readonly path: string;
  /** What the first tree has there; absent where it has nothing. */
  readonly before?: Node;
  /** What the second tree has there; absent where it has nothing. */
  readonly after?: Node;
  /** In what the two differ; empty where one of them is absent. */
  readonly aspects: readonly Aspect[];
  /** Whether these two inodes were compared at an earlier path already: this is a further name of both. */
  readonly isFurtherName: boolean;
  /** Whether it lies below a path at which the other tree has nothing, or no directory. */
  readonly isBelow: boolean;
}

/** Two files of one size, which may have different bytes. */
export interface SameSize {
  readonly before: Content;
  readonly after: Content;
  /** To be said by whoever reads them; false until then. */
  differ: boolean;
}

/** Two trees that are compared, but for the bytes of files that have one size. */
export interface Comparison {
  /** What is left to read. */
  readonly unread: readonly SameSize[];
  /** The paths at which the trees differ, in the order of a walk. Call it when what is left has been read. */
  changes(): Generator<Change>;
}

/** Two inodes that stand at one path, perhaps at several. */
interface Twins {
  readonly aspects: readonly Aspect[];
  readonly content: SameSize | undefined;
}

interface Found extends Change {
  readonly twins: Twins | undefined;
}

/**
 * Compares two trees. Hard links are compared as what they are, groups of names: two inodes differ in `links` if they do not have the same
 * names. `isSame` may say of two files that they have the same bytes, without reading them.
 */
export function compare(
  before: Rootfs,
  after: Rootfs,
  isSame: (before: Content, after: Content) => boolean = () => false,
): Comparison {
  const known = new Map<Node, Map<Node, Twins>>();
  const groups = [new LinkGroups(before.root), new LinkGroups(after.root)] as const;
  const unread: SameSize[] = [];
  const found: Found[] = [];
  for (const { path, before: a, after: b, isBelow } of walkBoth(before.root, after.root)) {
    if (a === undefined || b === undefined) {
      const side = a ? { before: a } : { after: b! };
      found.push({ path, ...side, aspects: [], isFurtherName: false, isBelow, twins: undefined });
      continue;
    }
    let twins = known.get(a)?.get(b);
    const isFurtherName = twins !== undefined;
    if (twins === undefined) {
      const content = unreadOf(a, b, isSame);
      if (content !== undefined) unread.push(content);
      const links = groups[0].namesOf(a) === groups[1].namesOf(b) ? [] : ['links' as const];
      twins = { aspects: [...differences(a, b), ...links], content };
      if (a.kind !== 'directory' && (a.nlink > 1 || b.nlink > 1)) remember(known, a, b, twins);
    }
    if (twins.aspects.length > 0 || twins.content !== undefined)
      found.push({ path, before: a, after: b, aspects: twins.aspects, isFurtherName, isBelow, twins });
  }
  return { unread, changes: () => settled(found) };
}

function* settled(found: readonly Found[]): Generator<Change> {
  for (const { twins, ...change } of found) {
    if (!twins?.content?.differ) {
      if (twins === undefined || twins.aspects.length > 0) yield change;
    } else
      yield {
        ...change,
        aspects: ASPECTS.filter((each) => each === 'content' || twins.aspects.includes(each)),
      };
  }
}

function remember(known: Map<Node, Map<Node, Twins>>, a: Node, b: Node, twins: Twins): void {
  const partners = known.get(a);
  if (partners === undefined) known.set(a, new Map([[b, twins]]));
  else partners.set(b, twins);
}

function unreadOf(a: Node, b: Node, isSame: (a: Content, b: Content) => boolean): SameSize | undefined {
  if (a.kind !== 'file' || b.kind !== 'file') return undefined;
  const { size } = a.content;
  if (size !== b.content.size || size === 0 || isSame(a.content, b.content)) return undefined;
  return { before: a.content, after: b.content, differ: false };
}

/** In what two inodes differ, but for their names and for the bytes of files of one size. */
export function* differences(a: Node, b: Node): Generator<Aspect> {
  if (a.kind !== b.kind) {
    yield 'type';
    return;
  }
  if (a.kind === 'file' && a.content.size !== (b as typeof a).content.size) yield 'content';
  if (a.kind === 'symlink' && a.target !== (b as typeof a).target) yield 'target';
  if ('major' in a && 'major' in b && (a.major !== b.major || a.minor !== b.minor)) yield 'device';
  yield* metadata(a.meta, b.meta);
}

function* metadata(a: Metadata, b: Metadata): Generator<Aspect> {
  if (a.mode !== b.mode) yield 'mode';
  if (a.uid !== b.uid || a.gid !== b.gid) yield 'owner';
  if (a.mtime !== b.mtime) yield 'mtime';
  if (differingXattrs(a, b).length > 0) yield 'xattr';
}

/** The names of the xattrs that only one of two inodes has, or that have two values; in byte order. */
export function differingXattrs({ xattrs: a }: Metadata, { xattrs: b }: Metadata): string[] {
  if (a === b || (a.size === 0 && b.size === 0)) return [];
  const names = new Set([...a.keys(), ...b.keys()]);
  return [...names].filter((name) => !isEqual(a.get(name), b.get(name))).sort();
}

function isEqual(a: Buffer | undefined, b: Buffer | undefined): boolean {
  return a !== undefined && b !== undefined && a.equals(b);
}

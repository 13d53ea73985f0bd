import fc from 'fast-check';
import type { Member } from './tar.js';

/** Layers at random, base first, each its members in archive order. */
export type Stack = readonly (readonly Member[])[];

/** The same stacks every time; `FLATTEN_SEED` and `FLATTEN_RUNS` ask for others and for more. */
export function runs(usual: number): { seed: number; numRuns: number } {
  return {
    seed: Number(process.env.FLATTEN_SEED ?? 20),
    numRuns: Number(process.env.FLATTEN_RUNS ?? usual),
  };
}

// Few names, so that layers meet often.
const name = fc.constantFrom('a', 'b', 'c');
const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'));

const meta = fc.record({
  mode: fc.constantFrom(0o755, 0o700, 0o4711, 0o1777, 0),
  uid: fc.constantFrom(0, 7, 3_000_000),
  gid: fc.constantFrom(0, 8),
  mtime: fc.constantFrom(0n, 1_500_000_000_000_000_001n, 1_600_000_000_500_000_000n, -1_500_000_000n),
  xattrs: fc.constantFrom(new Map<string, Buffer>(), new Map([['user.note', Buffer.from([0, 255, 10])]])),
});

const body = fc.constantFrom('', 'one', 'two', 'three').map((text) => Buffer.from(text));

const file = fc.tuple(path, meta, body).map(([path, meta, body]): Member => ({ path, ...meta, body }));
const folder = fc.tuple(path, meta).map(([path, meta]): Member => ({ path, ...meta, typeflag: '5' }));
const fifo = fc
  .tuple(path, meta)
  .map(([path, meta]): Member => ({ path, ...meta, xattrs: new Map(), typeflag: '6' }));
// Linux keeps no user xattrs on symlinks, and shows them with mode 0777.
const symlink = fc
  .tuple(
    path,
    meta,
    fc.oneof(
      path,
      path.map((path) => `/${path}`),
      path.map((path) => `../${path}`),
    ),
  )
  .map(
    ([path, meta, linkpath]): Member => ({
      path,
      ...meta,
      xattrs: new Map(),
      mode: 0o777,
      linkpath,
      typeflag: '2',
    }),
  );
const link = fc.tuple(path, path).map(([path, linkpath]): Member => ({ path, linkpath, typeflag: '1' }));
const whiteout = path.map((path): Member => ({ path: path.replace(/[^/]*$/, '.wh.$&') }));
const opaque = path.map((path): Member => ({ path: `${path}/.wh..wh..opq` }));
// What overlayfs keeps on its disk.
const device = path.map((path): Member => ({ path, typeflag: '3', mode: 0, major: 0, minor: 0 }));
const opaqueFolder = fc.tuple(path, meta, fc.constantFrom('y', 'n')).map(
  ([path, meta, value]): Member => ({
    path,
    ...meta,
    xattrs: new Map([...meta.xattrs, ['trusted.overlay.opaque', Buffer.from(value)]]),
    typeflag: '5',
  }),
);
const root = meta.map((meta): Member => ({ path: './', ...meta, typeflag: '5' }));

/** Anything in any order: names twice, children before parents or without them, links to anywhere. Many are no valid images. */
export const wildStack: fc.Arbitrary<Stack> = fc.array(
  fc.array(
    fc.oneof(
      { weight: 5, arbitrary: file },
      { weight: 4, arbitrary: folder },
      { weight: 1, arbitrary: fifo },
      { weight: 2, arbitrary: symlink },
      { weight: 3, arbitrary: link },
      { weight: 3, arbitrary: whiteout },
      { weight: 2, arbitrary: opaque },
      { weight: 1, arbitrary: root },
      { weight: 1, arbitrary: device },
      { weight: 1, arbitrary: opaqueFolder },
    ),
    { maxLength: 10 },
  ),
  { minLength: 1, maxLength: 4 },
);

/**
 * Layers as an engine writes them: every name once, every parent a directory with an entry of its own, hard links
 * last and to files of the same layer. Markers stand where they like.
 */
export const tidyStack: fc.Arbitrary<Stack> = fc.array(
  fc
    .record({
      root,
      plain: fc.array(
        fc.oneof(
          { weight: 3, arbitrary: file },
          { weight: 3, arbitrary: folder },
          { weight: 1, arbitrary: fifo },
          { weight: 2, arbitrary: symlink },
        ),
        { maxLength: 8 },
      ),
      metas: fc.array(meta, { minLength: 3, maxLength: 3 }),
      links: fc.array(fc.tuple(path, fc.nat()), { maxLength: 2 }),
      markers: fc.array(fc.tuple(fc.oneof(whiteout, opaque), fc.nat()), { maxLength: 4 }),
    })
    .map(tidyLayer),
  { minLength: 1, maxLength: 4 },
);

interface Parts {
  readonly root: Member;
  readonly plain: readonly Member[];
  readonly metas: readonly Omit<Member, 'path'>[];
  readonly links: readonly (readonly [path: string, pick: number])[];
  readonly markers: readonly (readonly [Member, place: number])[];
}

function tidyLayer({ root, plain, metas, links, markers }: Parts): Member[] {
  const taken = new Map<string, Member>();
  /** Makes room for a name: its parents are directories, or become such if nothing has their name. */
  const isFree = (path: string): boolean => {
    const parents = path
      .split('/')
      .slice(0, -1)
      .map((_, depth, parts) => parts.slice(0, depth + 1).join('/'));
    if (parents.some((parent) => taken.has(parent) && taken.get(parent)!.typeflag !== '5')) return false;
    for (const [depth, parent] of parents.entries()) {
      if (!taken.has(parent)) taken.set(parent, { path: parent, ...metas[depth]!, typeflag: '5' });
    }
    return !taken.has(path);
  };
  for (const member of plain) if (isFree(member.path)) taken.set(member.path, member);
  const files = [...taken.values()].filter(({ body }) => body !== undefined);
  for (const [path, pick] of links) {
    const target = files[pick % files.length];
    if (target !== undefined && isFree(path)) taken.set(path, { path, linkpath: target.path, typeflag: '1' });
  }
  // A marker implies its parents, and those must have entries here.
  const placed = markers.filter(([{ path }]) => isFree(path));
  const members = [...taken.values()].sort((a, b) => Number(a.typeflag === '1') - Number(b.typeflag === '1'));
  for (const [marker, place] of placed) members.splice(place % (members.length + 1), 0, marker);
  return [root, ...members];
}

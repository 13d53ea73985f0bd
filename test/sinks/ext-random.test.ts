import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import type { ExtOptions } from '../../src/ext/ext.js';
import type { Metadata, Node, Rootfs } from '../../src/rootfs/node.js';
import { assertSound, imageIn, listByReader, writeExt } from '../ext/images.js';
import { fileNode, TreeBuilder } from '../ext/tree-builder.js';
import { listRootfs } from '../support/list-rootfs.js';
import { lines } from '../support/listing.js';
import { needs } from '../support/needs.js';
import { scratch } from '../support/scratch.js';
import { runs } from '../support/stacks.js';

const name = fc.oneof(
  fc.constantFrom('a', 'b', 'c', 'lost+found'),
  fc
    .uint8Array({ minLength: 1, maxLength: 255 })
    .map((bytes) => Buffer.from(bytes).toString('latin1').replace(/[/\0]/g, '_'))
    .filter((name) => name !== '.' && name !== '..'),
);

const xattrs = fc
  .array(
    fc.tuple(
      fc.constantFrom('user.a', 'user.bb', 'trusted.c', 'security.d', `user.${'e'.repeat(200)}`),
      fc.oneof(
        fc.uint8Array({ maxLength: 60 }),
        fc.integer({ min: 0, max: 900 }).map((size) => new Uint8Array(size).fill(size)),
      ),
    ),
    { maxLength: 4 },
  )
  .map((pairs) => new Map(pairs.map(([name, value]) => [name, Buffer.from(value)])));

const metadata: fc.Arbitrary<Metadata> = fc.record({
  mode: fc.integer({ min: 0, max: 0o7777 }),
  uid: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  gid: fc.constantFrom(0, 65_535, 65_536),
  mtime: fc.bigInt({ min: -(2n ** 31n) * 10n ** 9n, max: 10_737_418_239n * 10n ** 9n }),
  xattrs: fc.oneof(
    { weight: 3, arbitrary: fc.constant(new Map<string, Buffer>()) },
    { weight: 1, arbitrary: xattrs },
  ),
});

/** Blocks of a file: zeros or not; and bytes short of the last one's end. */
const body = fc.record({
  blocks: fc.array(fc.boolean(), { maxLength: 40 }),
  short: fc.integer({ min: 0, max: 4095 }),
});

const entry = fc.record({
  directory: fc.nat(),
  name,
  meta: metadata,
  kind: fc.oneof(
    { weight: 4, arbitrary: fc.constant('file' as const) },
    { weight: 4, arbitrary: fc.constant('directory' as const) },
    {
      weight: 1,
      arbitrary: fc.constantFrom('symlink' as const, 'link' as const, 'fifo' as const, 'char' as const),
    },
  ),
  body,
  number: fc.nat({ max: 0xfffff }),
});

type Entry = typeof entry extends fc.Arbitrary<infer T> ? T : never;

const options: fc.Arbitrary<ExtOptions> = fc.record(
  {
    format: fc.constantFrom('ext2', 'ext3', 'ext4'),
    free: fc.integer({ min: 0, max: 300 * 2 ** 20 }),
    freeInodes: fc.integer({ min: 0, max: 50_000 }),
    reserved: fc.integer({ min: 0, max: 20 }),
  },
  { requiredKeys: ['format'] },
);

/** Puts entries below each other at random; a name that is taken is passed over. */
function plant(t: TestContext, entries: readonly Entry[]): Rootfs {
  const tree = new TreeBuilder(t);
  const directories = [tree.root];
  const others: Node[] = [];
  for (const entry of entries) {
    const { children } = directories[entry.directory % directories.length]!;
    if (children.has(entry.name)) continue;
    const linked = entry.kind === 'link' ? others[entry.number % others.length] : undefined;
    const node = linked ?? nodeOf(tree, entry);
    if (node.kind === 'directory') directories.push(node);
    else others.push(node);
    children.set(entry.name, node);
  }
  return tree.finish();
}

function nodeOf(tree: TreeBuilder, { meta, kind, body, number }: Entry): Node {
  const common = { meta, nlink: 0 };
  switch (kind) {
    case 'directory':
      return { ...common, kind, children: new Map() };
    case 'symlink':
      return { ...common, kind, target: 't'.repeat(1 + (number % 4095)) };
    case 'char':
      return { ...common, kind, major: number % 4096, minor: number };
    case 'fifo':
      return { ...common, kind };
    default:
      return fileNode(tree.store(bytesOf(body)), meta);
  }
}

function bytesOf({ blocks, short }: Entry['body']): Buffer {
  const bytes = Buffer.concat(blocks.map((isData, i) => Buffer.alloc(4096, isData ? `block ${i} ` : 0)));
  return bytes.subarray(0, Math.max(0, bytes.length - short));
}

test('random trees in random geometries are all there', { skip: needs('mke2fs') }, async (t) => {
  const image = imageIn(scratch(t), 'ext3');
  const property = fc.asyncProperty(fc.array(entry, { maxLength: 60 }), options, async (entries, options) => {
    const rootfs = plant(t, entries);
    await writeExt(rootfs, image, options);
    assertSound(image);
    assert.deepEqual(lines(listByReader(image)), lines(listRootfs(rootfs)));
    rmSync(image);
  });
  await fc.assert(property, runs(25));
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ContentReader } from '../../src/layer/content.js';
import type { Content, Node, Rootfs } from '../../src/rootfs/node.js';
import { directory } from '../../src/rootfs/node.js';
import { walk } from '../../src/rootfs/walk.js';
import { writeArchive } from '../../src/sinks/archive/stream.js';
import { TarForm } from '../../src/sinks/tar/members.js';
import type { TarEntry } from '../../src/tar/entry.js';
import { scanTar } from '../../src/tar/scan.js';
import { scratch } from '../support/scratch.js';
import { quiet } from './tar-context.js';
import { device, fifo, meta, Specimen, symlink } from './tar-specimen.js';

const bytes = (min: number, max: number) =>
  fc.uint8Array({ minLength: min, maxLength: max }).map((array) => Buffer.from(array).toString('latin1'));
const name = bytes(1, 255).map((text) => text.replace(/[\0/]/g, '_').replace(/^\.\.?$/, 'dot'));
const path = fc.array(fc.oneof(fc.constantFrom('a', 'b', 'c'), name), { minLength: 1, maxLength: 5 });
const metadata = fc.record({
  mode: fc.nat(0o7777),
  uid: fc.integer({ min: 0, max: 2 ** 32 - 2 }),
  gid: fc.nat(5_000_000),
  mtime: fc.bigInt({ min: -(10n ** 19n), max: 10n ** 20n }),
  xattrs: fc
    .array(fc.tuple(fc.stringMatching(/^user\.[a-z\n ]{1,40}$/), fc.uint8Array({ maxLength: 600 })))
    .map((pairs) => new Map(pairs.map(([key, value]) => [key, Buffer.from(value)]))),
});
const step = fc.record({
  path,
  metadata,
  // What stands there: a further name of one that was there before, or something new.
  kind: fc.constantFrom('link', 'file', 'file', 'sparse', 'symlink', 'char', 'fifo', 'directory'),
  size: fc.oneof(fc.nat(3000), fc.nat(1_500_000)),
  gaps: fc.array(fc.tuple(fc.nat(3000), fc.integer({ min: 1, max: 3000 })), { maxLength: 6 }),
  target: bytes(1, 300).map((text) => text.replaceAll('\0', '0')),
  pick: fc.nat(1000),
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** Does one step where the tree allows it. */
function grow(specimen: Specimen, made: Node[], step: Step): void {
  const node = nodeOf(specimen, made, step);
  try {
    specimen.add(step.path.join('/'), node);
  } catch {
    return; // a parent is no directory: the step is void
  }
  if (node.kind !== 'directory') made.push(node);
}

function nodeOf(specimen: Specimen, made: Node[], step: Step): Node {
  const { metadata, kind, size, gaps, target, pick } = step;
  switch (kind) {
    case 'file':
      return specimen.file(Buffer.alloc(size, `${pick} `), metadata);
    case 'sparse': {
      let end = 0;
      const segments = gaps.map(([gap, length]) => {
        const start = end + gap;
        end = start + length;
        return { start, length };
      });
      const stored = segments.reduce((sum, { length }) => sum + length, 0);
      return specimen.file(Buffer.alloc(stored, `${pick}`), metadata, { size: end + size, segments });
    }
    case 'symlink':
      return symlink(target, metadata);
    case 'char':
      return device('char', pick, size % 0x100000);
    case 'fifo':
      return fifo(metadata);
    case 'directory':
      return directory(meta(metadata));
    default:
      return made[pick % made.length] ?? fifo(metadata);
  }
}

/** What an archive shall say of a tree, in order; contents apart. */
function expected(rootfs: Rootfs): object[] {
  const first = new Map<Node, string>();
  return [...walk(rootfs.root)].map(({ path, node }) => {
    const linked = first.get(node);
    if (linked === undefined) first.set(node, path);
    const isDevice = linked === undefined && (node.kind === 'char' || node.kind === 'block');
    return {
      path: node.kind === 'directory' ? `${path || '.'}/` : path,
      type: linked === undefined ? node.kind : 'link',
      linkpath: linked ?? (node.kind === 'symlink' ? node.target : ''),
      ...node.meta,
      size: linked === undefined && node.kind === 'file' ? node.content.size : 0,
      major: isDevice ? node.major : 0,
      minor: isDevice ? node.minor : 0,
    };
  });
}

function said({ offset, headerBytes, segments, ...entry }: TarEntry): object {
  return entry;
}

/** A member's bytes, holes as zeros. */
function contentIn(archive: Buffer, { offset, size, segments }: TarEntry): Buffer {
  const content = Buffer.alloc(size);
  let at = offset;
  for (const { start, length } of segments ?? [{ start: 0, length: size }]) {
    archive.copy(content, start, at, at + length);
    at += length;
  }
  return content;
}

function contentOf(reader: ContentReader, content: Content): Buffer {
  const bytes = Buffer.alloc(content.size);
  reader.read(content, 0, bytes);
  return bytes;
}

test('property: a tree, its tar, and what is scanned of that are the same', async (t) => {
  const property = fc.asyncProperty(
    fc.array(step, { maxLength: 25 }),
    fc.boolean(),
    async (steps, sparse) => {
      const closing: (() => void)[] = [];
      const after = (close: () => void) => void closing.push(close);
      const specimen = new Specimen({ after } as never, scratch(t));
      const made: Node[] = [];
      for (const one of steps) grow(specimen, made, one);
      const rootfs = specimen.rootfs();
      const parts: Buffer[] = [];
      const out = async (chunk: Buffer) => void parts.push(Buffer.from(chunk));
      await writeArchive(rootfs, new TarForm({ sparse }), out, quiet());
      const archive = Buffer.concat(parts);
      const read = (target: Uint8Array, position: number) =>
        archive.copy(target, 0, position, position + target.length);
      const entries = [...scanTar({ size: archive.length, read })];
      assert.deepEqual(entries.map(said), expected(rootfs));

      const files = entries.filter(({ type }) => type === 'file');
      const contents = [...new Set([...walk(rootfs.root)].map(({ node }) => node))].flatMap((node) =>
        node.kind === 'file' ? [node.content] : [],
      );
      const reader = new ContentReader();
      for (const [i, entry] of files.entries()) {
        assert.ok(contentIn(archive, entry).equals(contentOf(reader, contents[i]!)), entry.path);
        if (!sparse) assert.equal(entry.segments, undefined);
      }
      for (const close of closing) close();
    },
  );
  await fc.assert(property, { numRuns: 300 });
});

import { createHash } from 'node:crypto';
import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { ContentReader } from '../../src/layer/content.js';
import {
  type Content,
  type Directory,
  directory,
  type LayerFile,
  type Metadata,
  NO_XATTRS,
  type Node,
  type Rootfs,
  type Segment,
} from '../../src/rootfs/node.js';
import { finish, walk } from '../../src/rootfs/walk.js';

const SECOND = 1_000_000_000n;

/** A layer file of this test's own, and the nodes whose content lies in it. */
export class Specimen {
  readonly root: Directory;
  readonly #layer: LayerFile;
  readonly #fd: number;
  #end = 0;

  constructor(t: Pick<TestContext, 'after'>, scratch: string, root: Partial<Metadata> = {}) {
    this.#fd = openSync(join(scratch, 'layer'), 'w+');
    t.after(() => closeSync(this.#fd));
    this.#layer = { order: 0, file: this.#fd };
    this.root = directory(meta(root));
  }

  /** A file; with `segments` the bytes are those of its runs, and `size` is the whole. */
  file(bytes: Buffer, over: Partial<Metadata> = {}, sparse?: { size: number; segments: Segment[] }): Node {
    const content: Content = { layer: this.#layer, offset: this.#end, size: bytes.length, ...sparse };
    writeSync(this.#fd, bytes, 0, bytes.length, this.#end);
    this.#end += bytes.length;
    return { kind: 'file', meta: meta(over), nlink: 0, content };
  }

  /** Puts a node at a path (latin1), with the directories that it needs. */
  add(path: string, node: Node): Node {
    const names = path.split('/');
    let parent = this.root;
    for (const name of names.slice(0, -1)) {
      const child = parent.children.get(name) ?? directory(meta({}));
      if (child.kind !== 'directory') throw new Error(`${path}: ${name} is no directory`);
      parent.children.set(name, child);
      parent = child;
    }
    parent.children.set(names.at(-1)!, node);
    return node;
  }

  rootfs(): Rootfs {
    return finish(this.root);
  }
}

export function meta(over: Partial<Metadata>): Metadata {
  return { mode: 0o644, uid: 0, gid: 0, mtime: 1_700_000_000n * SECOND, xattrs: NO_XATTRS, ...over };
}

export function symlink(target: string, over: Partial<Metadata> = {}): Node {
  return { kind: 'symlink', meta: meta({ mode: 0o777, ...over }), nlink: 0, target };
}

export function device(kind: 'char' | 'block', major: number, minor: number): Node {
  return { kind, meta: meta({ mode: 0o600 }), nlink: 0, major, minor };
}

export function fifo(over: Partial<Metadata> = {}): Node {
  return { kind: 'fifo', meta: meta(over), nlink: 0 };
}

/** A tree with one of everything, all of which every reader can hold that the tests ask. */
export function everything(t: Pick<TestContext, 'after'>, scratch: string): Rootfs {
  const specimen = new Specimen(t, scratch, {
    mode: 0o751,
    uid: 12,
    gid: 34,
    mtime: 1_600_000_000_123_456_789n,
  });
  const add = specimen.add.bind(specimen);
  const file = specimen.file.bind(specimen);
  const capability = Buffer.from('0100000200040000000000000000000000000000', 'hex');
  const binary = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));

  add('empty', file(Buffer.alloc(0)));
  add('mode-0', file(Buffer.from('secret'), { mode: 0 }));
  add('mode-07777', file(Buffer.from('all'), { mode: 0o7777, uid: 7, gid: 8 }));
  add('owner-large', file(Buffer.from('who'), { uid: 3_000_000, gid: 4_294_967_294 }));
  add('owner-edge', file(Buffer.from('who'), { uid: 2_097_151, gid: 2_097_152 }));
  add('time-2040', file(Buffer.from('late'), { mtime: 2_208_988_800n * SECOND + 1n }));
  add('time-2255', file(Buffer.from('later'), { mtime: 9_000_000_000n * SECOND }));
  add('time-1969', file(Buffer.from('early'), { mtime: -3n * SECOND }));
  add('time-0', file(Buffer.from('zero'), { mtime: 0n }));
  add('block', file(Buffer.alloc(512, 'b')));
  add('big', file(Buffer.alloc(3 * 1024 * 1024 + 17, 'The quick brown fox. ')));
  add(
    'caps',
    file(Buffer.from('x'), { mode: 0o755, xattrs: new Map([['security.capability', capability]]) }),
  );
  add(
    'xattrs',
    file(Buffer.from('y'), {
      xattrs: new Map([
        ['user.empty-not', Buffer.from('0')],
        ['user.binary', binary],
        ['user.newline\nin name', Buffer.from('a=b\nc')],
        ['user.100%', Buffer.from('%3D')],
        ['trusted.t', Buffer.from('t')],
      ]),
    }),
  );
  add('dir/sub', {
    ...directory(
      meta({
        mode: 0o2775,
        mtime: 1_500_000_000_000_000_001n,
        xattrs: new Map([['user.d', Buffer.from('d')]]),
      }),
    ),
  });
  add('sticky', directory(meta({ mode: 0o1777 })));
  add('link-to', symlink('/usr/bin/env', { mtime: 1_400_000_000_500_000_000n, uid: 5, gid: 6 }));
  add('link-long', symlink(`${'t/'.repeat(90)}end`));
  add('link-bytes', symlink('\xff\xfe \xc3\xa9'));
  add('link-long-bytes', symlink(`\xff${'/\xc3\xa9'.repeat(80)}`));
  add('dev/null', device('char', 1, 3));
  add('dev/disk', device('block', 259, 1_048_575));
  add('dev/fifo', fifo({ mode: 0o640, uid: 1 }));
  // Second names: of a file, a symlink, a device, and far from the first.
  add(
    'a/first',
    file(Buffer.from('linked'), {
      mtime: 1_300_000_000_000_000_007n,
      xattrs: new Map([['user.l', Buffer.from('l')]]),
    }),
  );
  const nodes = new Map([...walk(specimen.root)].map(({ path, node }) => [path, node]));
  add('z/second', nodes.get('a/first')!);
  add(`z/${'long-'.repeat(40)}third`, nodes.get('a/first')!);
  add('z/\xff-fourth', nodes.get('a/first')!);
  add('z/link-to', nodes.get('link-to')!);
  add('z/null', nodes.get('dev/null')!);
  add('z/fifo', nodes.get('dev/fifo')!);
  // A first name too long for a link's field.
  const far = add(`${'deep-\xe9/'.repeat(30)}file`, file(Buffer.from('far')));
  add('z/far', far);
  const near = add(`${'y'.repeat(150)}/${'z'.repeat(101)}`, file(Buffer.from('no split')));
  add('z/near', near);
  // Names: just in ustar, just split, not to be split, bytes.
  add('n'.repeat(100), file(Buffer.from('100')));
  add('n'.repeat(101), file(Buffer.from('101')));
  add(`${'p'.repeat(155)}/${'q'.repeat(100)}`, file(Buffer.from('256')));
  add(`${'p'.repeat(156)}/${'q'.repeat(10)}`, file(Buffer.from('prefix of 156')));
  add(`${'d'.repeat(99)}/inner`, file(Buffer.from('directory of 100 with its slash')));
  add(`${'e'.repeat(100)}/inner`, file(Buffer.from('directory of 101 with its slash')));
  add('bytes \xff\xfe\n\x01\x7f', file(Buffer.from('no UTF-8')));
  add('text \xc3\xa9\xe2\x82\xac', file(Buffer.from('UTF-8')));
  add(`${'\xff'.repeat(255)}`, file(Buffer.from('long bytes')));
  add(`${'\xc3\xa9'.repeat(120)}`, file(Buffer.from('long UTF-8')));
  add('with=equals', file(Buffer.from('=')));
  add(' space ', file(Buffer.from(' ')));
  add('-dash', file(Buffer.from('-')));
  add('back\\slash', file(Buffer.from('\\')));
  add('which.wh.not', file(Buffer.from('w')));
  // Sparse: holes in the middle and at the end, at the start, nothing but a hole, runs that are not on blocks.
  const runs = (size: number, ...pairs: [number, number][]) => ({
    size,
    segments: pairs.map(([start, length]) => ({ start, length })),
  });
  add('sparse/middle', file(Buffer.alloc(8192, 'm'), {}, runs(10_000_000, [0, 4096], [1_048_576, 4096])));
  add('sparse/start', file(Buffer.alloc(5000, 's'), {}, runs(1_005_000, [1_000_000 - 576, 5000])));
  add('sparse/hole', file(Buffer.alloc(0), { mtime: 5n }, runs(123_456)));
  add('sparse/odd', file(Buffer.from('AAAABBBBCC'), {}, runs(5002, [10, 4], [1020, 4], [5000, 2])));
  add('sparse/\xff', file(Buffer.alloc(512, 'm'), {}, runs(1_000_000, [4096, 512])));
  add(`sparse/${'\xff'.repeat(150)}`, file(Buffer.alloc(512, 'm'), {}, runs(1_000_000, [4096, 512])));
  add(`sparse/${'long'.repeat(50)}`, file(Buffer.alloc(512, 'm'), {}, runs(1_000_000, [4096, 512])));
  return specimen.rootfs();
}

/** What a name is, in words that a listing made by somebody else can be compared with. */
export interface Listed {
  readonly path: string;
  readonly kind: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Nanoseconds. */
  readonly mtime: string;
  readonly target: string;
  readonly device: readonly [number, number];
  readonly size: number;
  readonly sha256: string;
  /** Hex, by name. */
  readonly xattrs: Readonly<Record<string, string>>;
  /** The first name of the same inode. */
  readonly first: string;
}

/** The listing of a tree; all text latin1, sorted by path. */
export function listTree(rootfs: Rootfs): Listed[] {
  const reader = new ContentReader();
  const first = new Map<Node, string>();
  const listed = [...walk(rootfs.root)].map(({ path, node }): Listed => {
    if (!first.has(node)) first.set(node, path);
    const content = node.kind === 'file' ? contentOf(reader, node.content) : undefined;
    return {
      path,
      kind: node.kind,
      mode: node.meta.mode,
      uid: node.meta.uid,
      gid: node.meta.gid,
      mtime: String(node.meta.mtime),
      target: node.kind === 'symlink' ? node.target : '',
      device: node.kind === 'char' || node.kind === 'block' ? [node.major, node.minor] : [0, 0],
      size: content?.length ?? 0,
      sha256: content === undefined ? '' : createHash('sha256').update(content).digest('hex'),
      xattrs: Object.fromEntries(
        [...node.meta.xattrs].sort().map(([name, value]) => [name, value.toString('hex')]),
      ),
      first: first.get(node)!,
    };
  });
  reader.close();
  return listed.sort(byPath);
}

export function byPath(a: { path: string }, b: { path: string }): number {
  return a.path < b.path ? -1 : a.path > b.path ? 1 : 0;
}

function contentOf(reader: ContentReader, content: Content): Buffer {
  const bytes = Buffer.alloc(content.size);
  reader.read(content, 0, bytes);
  return bytes;
}

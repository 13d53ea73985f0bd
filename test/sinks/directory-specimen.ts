import type { TestContext } from 'node:test';
import { directory, type Rootfs } from '../../src/rootfs/node.js';
import { device, fifo, meta, Specimen, symlink } from './tar-specimen.js';

const SECOND = 1_000_000_000n;
const CAPABILITY = Buffer.from('0100000200040000000000000000000000000000', 'hex');

/** A POSIX ACL as the kernel stores it: version 2, then tag, permissions and id of each entry (acl(5), linux/posix_acl_xattr.h). */
function acl(...entries: readonly (readonly [tag: number, permissions: number, id?: number])[]): Buffer {
  const bytes = Buffer.alloc(4 + 8 * entries.length);
  bytes.writeUInt32LE(2);
  for (const [i, [tag, permissions, id = 0xffffffff]] of entries.entries()) {
    bytes.writeUInt16LE(tag, 4 + 8 * i);
    bytes.writeUInt16LE(permissions, 6 + 8 * i);
    bytes.writeUInt32LE(id, 8 + 8 * i);
  }
  return bytes;
}

/** Owner without rights, user 1234 with some: the mask shows as the mode's group bits. */
const ACL = acl([1, 0], [2, 5, 1234], [4, 5], [0x10, 5], [0x20, 4]);

/**
 * One of everything that a directory can hold. `step`: nanoseconds that all fractions of a second are a multiple of.
 */
export function everyKind(t: Pick<TestContext, 'after'>, scratch: string, { step = 1n } = {}): Rootfs {
  const fraction = 123_456_789n - (123_456_789n % step);
  const specimen = new Specimen(t, scratch, {
    mode: 0o2751,
    uid: 12,
    gid: 34,
    mtime: 1_600_000_000n * SECOND + fraction,
  });
  const add = specimen.add.bind(specimen);
  const file = specimen.file.bind(specimen);
  const text = Buffer.from('content');

  add('empty', file(Buffer.alloc(0), { mtime: 0n }));
  add('mode-0', file(text, { mode: 0, xattrs: new Map([['user.x', text]]) }));
  add('mode-07777', file(text, { mode: 0o7777, uid: 7, gid: 8 }));
  add('setuid-own', file(text, { mode: 0o6755 }));
  add('writable', file(text, { mode: 0o666 }));
  add('owner', file(text, { uid: 3_000_000, gid: 4_294_967_294 }));
  add('late', file(text, { mtime: 2_208_988_800n * SECOND }));
  add('early', file(text, { mtime: step === 1n ? -1_500_000_001n : -2n * SECOND }));
  add('fraction', file(text, { mtime: 1_700_000_000n * SECOND + fraction }));
  add('new\nline\\ \xff', file(text));
  add('window', file(Buffer.alloc(1 << 20, 'w')));
  add('large', file(Buffer.alloc((5 << 20) + 17, 'The quick brown fox. ')));
  add('capable', file(text, { mode: 0o755, uid: 5, xattrs: new Map([['security.capability', CAPABILITY]]) }));
  add('acl', file(text, { mode: 0o054, xattrs: new Map([['system.posix_acl_access', ACL]]) }));
  const odd = new Map([
    ['user.empty', Buffer.alloc(0)],
    ['user.binary', Buffer.from([0, 255, 10, 61])],
    ['user.odd=\n\xff', text],
    ['trusted.t', text],
  ]);
  add('xattrs', file(text, { mode: 0o444, uid: 9, xattrs: odd }));
  const segments = [
    { start: 1 << 20, length: 4096 },
    { start: 3 << 20, length: 3 },
  ];
  add('sparse', file(Buffer.alloc(4099, 's'), {}, { size: 8 << 20, segments }));
  add('hole', file(Buffer.alloc(0), {}, { size: 1 << 20, segments: [] }));

  add('locked', directory(meta({ mode: 0, uid: 77 })));
  add('locked/inner/deep', file(text));
  add('readonly', directory(meta({ mode: 0o555, mtime: 5n * SECOND, xattrs: new Map([['user.d', text]]) })));
  add('readonly/child', file(text));
  const lists = [['system.posix_acl_access', ACL] as const, ['system.posix_acl_default', ACL] as const];
  add('acls', directory(meta({ mode: 0o3054, xattrs: new Map(lists) })));
  add('acls/child', directory(meta({ mode: 0o700, xattrs: new Map([['system.posix_acl_default', ACL]]) })));
  add('acls/child/file', file(text, { mode: 0o640 }));

  const link = symlink('/nonexistent/\xff', { mtime: 1_400_000_000n * SECOND + fraction, uid: 5, gid: 6 });
  add('link', link);
  add('link-xattr', symlink('empty', { xattrs: new Map([['trusted.l', text]]) }));
  add('a/link-too', link);
  const disk = device('block', 259, 1_048_575);
  disk.meta = meta({ mode: 0o4660, uid: 3, mtime: 7n, xattrs: new Map([['trusted.d', text]]) });
  if (step !== 1n) disk.meta = { ...disk.meta, mtime: 7n * SECOND };
  add('dev/disk', disk);
  add('dev/disk-too', disk);
  add('dev/null', device('char', 1, 3));
  const pipe = add('dev/fifo\n', fifo({ mode: 0o640, uid: 1 }));
  add('dev/fifo-too', pipe);
  const first = add(
    'a/first',
    file(Buffer.from('linked'), { mode: 0o4755, xattrs: new Map([['user.l', text]]) }),
  );
  add('a/second', first);
  add('z/third', first);
  return specimen.rootfs();
}

/** Many small files in many directories, a few large ones: work for several threads. */
export function manyFiles(t: Pick<TestContext, 'after'>, scratch: string, count: number): Rootfs {
  const specimen = new Specimen(t, scratch);
  for (let i = 0; i < count; i++) {
    const bytes = Buffer.alloc((i * 37) % 5000, String(i));
    const owner = i % 100 === 0 ? { uid: 1000 + (i % 300), mode: 0o4755 } : {};
    const node = specimen.file(bytes, { mtime: BigInt(i) * 1_000_000_007n, ...owner });
    specimen.add(`d${i % 50}/e${i % 7}/f${i}`, node);
    if (i % 1000 === 0) specimen.add(`large${i}`, specimen.file(Buffer.alloc((2 << 20) + i, 'x')));
  }
  return specimen.rootfs();
}

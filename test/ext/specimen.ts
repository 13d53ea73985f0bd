import type { TestContext } from 'node:test';
import type { Rootfs } from '../../src/rootfs/node.js';
import { fileNode, TreeBuilder } from './tree-builder.js';

const BILLION = 1_000_000_000n;
const MEBIBYTE = 2 ** 20;

/** user::rwx user:1234567:r-x group::r-x mask::rwx other::---, as getxattr gives it. */
export const ACL = Buffer.from(
  '0200000001000700ffffffff0200050087d6120004000500ffffffff10000700ffffffff20000000ffffffff',
  'hex',
);

/** A tree with one of everything that an image can hold and that tools like to lose. */
export function specimen(t: TestContext): Rootfs {
  const tree = new TreeBuilder(t);
  owners(tree);
  times(tree);
  xattrs(tree);
  links(tree);
  sizes(tree);
  tree.device('dev/null', 'char', 1, 3);
  tree.device('dev/old-largest', 'block', 255, 255);
  tree.device('dev/nvme', 'block', 259, 70_000);
  tree.device('dev/largest', 'char', 4095, 1_048_575);
  tree.device('dev/zero', 'char', 0, 0);
  tree.fifo('run/fifo');
  tree.file(Buffer.from('bytes\xff\n\\ \t"', 'latin1').toString('latin1'), 'odd name');
  tree.file('n'.repeat(255), 'long name');
  tree.directory('lost+found/kept', { mode: 0o711, uid: 9 });
  return tree.finish();
}

function owners(tree: TreeBuilder): void {
  tree.file('owners/large', 'x', { uid: 1_234_567, gid: 4_294_967_294 });
  tree.file('owners/setuid', 'x', { uid: 5, mode: 0o6755 });
  tree.file('owners/none', 'x', { mode: 0 });
  tree.directory('owners/sticky', { mode: 0o1777, uid: 65_536, gid: 65_535 });
}

function times(tree: TreeBuilder): void {
  const of = (name: string, seconds: bigint, nanos = 0n) =>
    tree.file(`times/${name}`, '', { mtime: seconds * BILLION + nanos });
  of('1901', -(2n ** 31n));
  of('before-1970', -2n, 500_000_000n);
  of('epoch', 0n);
  of('nanosecond', 1_700_000_000n, 999_999_999n);
  of('2038', 2n ** 31n);
  of('2106', 2n ** 32n);
  of('2200', 7_258_118_400n, 1n);
  of('2310', 10_737_418_239n, 999_999_999n);
}

function xattrs(tree: TreeBuilder): void {
  const capability = Buffer.from('0100000200040000000000000000000000000000', 'hex');
  const note = (length: number) => Buffer.alloc(length, 'note\0\xff', 'latin1');
  const of = (name: string, ...pairs: readonly (readonly [string, Buffer])[]) =>
    tree.file(`xattrs/${name}`, 'x', { xattrs: new Map(pairs) });
  of('capability', ['security.capability', capability]);
  of('empty-value', ['user.empty', Buffer.alloc(0)]);
  of(
    'every-namespace',
    ['user.a', note(5)],
    ['trusted.b', note(7)],
    ['security.c', note(40)],
    ['system.posix_acl_access', ACL],
  );
  of('block', ['user.large', note(4000)]);
  of('split', ['user.large', note(4036)], ['user.small', note(30)], ['trusted.tiny', note(1)]);
  of('long-name', [`user.${'n'.repeat(250)}`, note(3)], ['user.\xff', note(1)]);
  for (let i = 0; i < 1100; i++) of(`shared/${i}`, ['user.shared', note(200)]);
  tree.directory('xattrs/default-acl', {
    mode: 0o770,
    xattrs: new Map([
      ['system.posix_acl_default', ACL],
      ['system.posix_acl_access', ACL],
    ]),
  });
  tree.device('xattrs/device', 'char', 1, 5).meta = {
    ...tree.file('xattrs/plain', '').meta,
    xattrs: new Map([['trusted.device', note(3)]]),
  };
}

function links(tree: TreeBuilder): void {
  const file = tree.file('links/first', 'shared', { xattrs: new Map([['user.x', Buffer.from('y')]]) });
  tree.put('links/second', file);
  tree.put('elsewhere/third', file);
  const symlink = tree.symlink('links/symlink', 'first', { uid: 7, mtime: 3n * BILLION + 5n });
  tree.put('links/same-symlink', symlink);
  tree.symlink('links/59', 'f'.repeat(59));
  tree.symlink('links/60', 's'.repeat(60));
  tree.symlink('links/4095', '/'.repeat(4095));
  tree.symlink('links/bytes', '../\xfe\xff');
}

function sizes(tree: TreeBuilder): void {
  const pattern = Buffer.alloc(6 * MEBIBYTE, 'not zeros, and no power of two long');
  for (const blocks of [1, 12, 13, 1036, 1037]) {
    tree.file(`sizes/${blocks}-blocks`, pattern.subarray(0, blocks * 4096));
  }
  tree.file('sizes/odd', pattern.subarray(0, 4097));
  tree.file('sizes/empty', '');
  const zeros = Buffer.alloc(MEBIBYTE);
  tree.file('sizes/zeros', zeros);
  tree.file('sizes/zeros-between', Buffer.concat([Buffer.from('a'), zeros, Buffer.from('b'), zeros]));
  const segments = [
    { start: 5000, length: 3 },
    { start: 5100, length: 9000 },
    { start: 2 * MEBIBYTE + 1, length: 4095 },
  ];
  tree.put(
    'sizes/sparse',
    fileNode(tree.store(pattern.subarray(0, 13_098), { size: 3 * MEBIBYTE, segments })),
  );
}

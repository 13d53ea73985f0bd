import { TreeBuilder } from './build.js';
import { extSink } from '../../src/sinks/ext.js';
import { DEFAULT_LIMITS } from '../../src/context.js';
const t = { after() {} } as any;
const b = new TreeBuilder(t);
b.file('a', 'hello\n', {uid: 1234567, mode: 0o4755, xattrs: new Map([['user.x', Buffer.from('y')], ['security.capability', Buffer.alloc(20,1)], ['trusted.big', Buffer.alloc(4000, 7)]])});
b.file('d/e/f/big', Buffer.alloc(10e6, 'abcdefgh1'));
b.file('d/zero', Buffer.alloc(1e6));
b.symlink('lnk', 'a'); b.symlink('slow', 'x'.repeat(300));
b.device('dev/null', 'char', 1, 3); b.device('dev/x', 'block', 259, 70000); b.fifo('p');
const a = b.root.children.get('a')!;
b.put('hard', a);
for (let i = 0; i < 60000; i++) b.file('many/file-number-' + i, i % 100 ? '' : 'x');
for (let i = 0; i < 40000; i++) b.directory('dirs/' + i);
for (let i = 0; i < 64000; i++) b.put('links/' + i, a);
const rootfs = b.finish();
for (const format of ['ext3', 'ext2', 'ext4'] as const) {
  console.time(format);
  const sink = extSink(`/tmp/exp/t.${format}`, { format, force: true, strict: false });
  console.log(await sink.write({ rootfs, verified: Promise.resolve() }, { signal: new AbortController().signal, tmp: '/tmp', limits: DEFAULT_LIMITS, verify: true, report: () => {} }));
  console.timeEnd(format);
}

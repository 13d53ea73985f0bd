import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { lstatSync, mkdirSync, openSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { type Libc, LibcError, libc } from '../../src/host/libc.js';
import { needs } from '../support/needs.js';
import { scratch } from '../support/scratch.js';

const c = libc() as Libc;
const skip = c === undefined ? 'needs koffi' : false;

function code(expected: string): (error: unknown) => boolean {
  return (error) => error instanceof LibcError && error.code === expected;
}

test(
  'xattrs: binary values of links and files agree with getfattr',
  {
    skip: skip || needs('root', 'getfattr'),
  },
  (t) => {
    const dir = scratch(t);
    const file = Buffer.from(join(dir, 'a\nb'));
    const link = Buffer.from(join(dir, 'link'));
    writeFileSync(file, 'x');
    symlinkSync('nowhere', link);
    const value = Buffer.from([0, 255, 10, 61, 0]);
    c.lsetxattr(file, 'user.bin', value);
    c.lsetxattr(file, 'user.\xff', Buffer.from('name'));
    c.lsetxattr(file, 'user.empty', Buffer.alloc(0));
    c.lsetxattr(link, 'trusted.of-link', value);
    assert.deepEqual(c.lgetxattr(file, 'user.bin'), value);
    assert.deepEqual(c.lgetxattr(file, 'user.empty'), Buffer.alloc(0));
    assert.deepEqual(c.llistxattr(file).sort(), ['user.bin', 'user.empty', 'user.\xff']);
    assert.deepEqual(c.llistxattr(link), ['trusted.of-link']);
    const dump = execFileSync('getfattr', ['-h', '-e', 'hex', '-d', '-m', '-', join(dir, 'link')], {
      stdio: 'pipe',
    });
    assert.match(dump.toString(), /trusted\.of-link=0x00ff0a3d00/);
    c.lremovexattr(file, 'user.bin');
    assert.throws(() => c.lgetxattr(file, 'user.bin'), code('ENODATA'));
    assert.throws(() => c.lremovexattr(file, 'user.bin'), code('ENODATA'));
    assert.throws(() => c.lgetxattr(Buffer.from(join(dir, 'none')), 'user.bin'), code('ENOENT'));
    assert.throws(() => c.lsetxattr(link, 'user.x', value), code('EPERM'));
    assert.throws(() => c.llistxattr(Buffer.from(`${dir}\0x`)), code('EINVAL'));
  },
);

test('mknod makes fifos, and devices with large numbers', { skip: skip || needs('root') }, (t) => {
  const dir = scratch(t);
  const at = (name: string) => Buffer.from(join(dir, name));
  c.mknod(at('fifo'), 0o010600, 0, 0);
  assert.ok(lstatSync(at('fifo')).isFIFO());
  c.mknod(at('block'), 0o060640, 4095, 1048575);
  const shown = execFileSync('stat', ['-c', '%F %t %T', join(dir, 'block')]).toString();
  assert.equal(shown, 'block special file fff fffff\n');
  assert.throws(() => c.mknod(at('big'), 0o020600, 4096, 0), code('EINVAL'));
  assert.throws(() => c.mknod(at('fifo'), 0o010600, 0, 0), code('EEXIST'));
});

test('times keep every nanosecond, before 1970 and after 2038, on links and open files', { skip }, (t) => {
  const dir = scratch(t);
  const path = Buffer.from(join(dir, 'link'));
  symlinkSync('nowhere', path);
  for (const mtime of [1n, -1n, -1_500_000_001n, 2_208_988_800_123_456_789n, 0n]) {
    c.utimensat(path, 5n, mtime);
    const stat = lstatSync(path, { bigint: true });
    assert.deepEqual([stat.mtimeNs, stat.atimeNs], [mtime, 5n]);
  }
  const fd = openSync(join(dir, 'file'), 'w');
  c.futimens(fd, 0n, -999_999_999n);
  assert.equal(lstatSync(join(dir, 'file'), { bigint: true }).mtimeNs, -999_999_999n);
  assert.throws(() => c.futimens(-1, 0n, 0n), code('EBADF'));
});

test('renameat2 exchanges, or refuses to replace', { skip }, (t) => {
  const dir = scratch(t);
  const [a, b] = [Buffer.from(join(dir, 'a')), Buffer.from(join(dir, 'b'))];
  writeFileSync(a, 'was a');
  mkdirSync(b);
  assert.throws(() => c.renameat2(a, b, 'noreplace'), code('EEXIST'));
  c.renameat2(a, b, 'exchange');
  assert.equal(readFileSync(b, 'utf8'), 'was a');
  assert.ok(lstatSync(a).isDirectory());
});

test('a worker thread loads its own', { skip }, async () => {
  const url = new URL('../../src/host/libc.js', import.meta.url).href;
  const source = `import { libc } from ${JSON.stringify(url)};
    import { parentPort } from 'node:worker_threads';
    try { libc().llistxattr(Buffer.from('/nowhere')); } catch (error) { parentPort.postMessage(error.code); }`;
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(source)}`));
  const answer = await new Promise((resolve, reject) =>
    worker.once('message', resolve).once('error', reject),
  );
  assert.equal(answer, 'ENOENT');
});

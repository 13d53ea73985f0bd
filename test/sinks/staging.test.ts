import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { FlattenError } from '../../src/errors.js';
import { type Libc, LibcError, libc } from '../../src/layer/libc.js';
import { removeTree } from '../../src/sinks/staging/remove.js';
import { refuseExisting, stageDirectory, stageFile } from '../../src/sinks/staging.js';
import { needs } from '../support/needs.js';
import { scratch } from '../support/scratch.js';

const NEW = { force: false };
const FORCE = { force: true };

function fails(code: string, message?: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof FlattenError, String(error));
    assert.equal(error.code, code);
    if (message) assert.match(error.message, message);
    return true;
  };
}

/** A pid that ran and is gone. */
function deadPid(): number {
  return spawnSync('true').pid;
}

async function makeFile(output: string, text: string, options = NEW): Promise<void> {
  const staging = await stageFile(output, options);
  writeFileSync(staging.path, text, { flag: 'wx' });
  await staging.publish();
}

test('a file appears whole, from a hidden sibling that tells who makes it', async (t) => {
  const dir = scratch(t);
  const output = join(dir, 'out.tar');
  const staging = await stageFile(output, { force: false });
  const start = readFileSync('/proc/self/stat', 'latin1').split(') ')[1]!.split(' ')[19];
  assert.equal(staging.path, join(dir, `.out.tar.flatten-${process.pid}-${start}`));
  writeFileSync(staging.path, 'x', { flag: 'wx' });
  assert.equal(existsSync(output), false);
  await staging.publish();
  await staging.discard();
  assert.deepEqual(readdirSync(dir), ['out.tar']);
  assert.equal(lstatSync(output).nlink, 1);
});

test('an output that exists is refused, at once and again at the end', async (t) => {
  const output = join(scratch(t), 'out');
  const early = await stageFile(output, NEW);
  writeFileSync(early.path, 'late', { flag: 'wx' });
  writeFileSync(output, 'first');
  await assert.rejects(stageFile(output, NEW), fails('OUTPUT_EXISTS', /out: exists already/));
  await assert.rejects(early.publish(), fails('OUTPUT_EXISTS'));
  await early.discard();
  assert.equal(readFileSync(output, 'utf8'), 'first');
  await makeFile(output, 'second', FORCE);
  assert.equal(readFileSync(output, 'utf8'), 'second');
});

test('two at once to one output: the second is refused and leaves the first alone', async (t) => {
  const output = join(scratch(t), 'out');
  const first = await stageFile(output, NEW);
  writeFileSync(first.path, 'first', { flag: 'wx' });
  await assert.rejects(stageDirectory(output, NEW), fails('OUTPUT_EXISTS', /is being written already/));
  await first.publish();
  assert.equal(readFileSync(output, 'utf8'), 'first');
  const again = await stageFile(output, FORCE);
  await again.discard();
});

test('where a file can have no second name it is renamed, and still replaces nothing', async (t) => {
  const output = join(scratch(t), 'out');
  for (const c of [libc(), undefined]) {
    const staging = await stageFile(output, { ...NEW, libc: c });
    mkdirSync(staging.path); // a directory cannot be linked, as on some file systems nothing can
    writeFileSync(output, 'appeared');
    await assert.rejects(staging.publish(), fails('OUTPUT_EXISTS'));
    rmSync(output);
    await staging.publish();
    assert.ok(lstatSync(output).isDirectory());
    rmSync(output, { recursive: true });
  }
});

test('directories: an empty one is taken, a full one only by force, which keeps nothing of it', async (t) => {
  const dir = scratch(t);
  const output = join(dir, 'rootfs');
  mkdirSync(output);
  const first = await stageDirectory(`${output}/`, NEW);
  assert.equal(statSync(first.path).mode & 0o7777, 0o700);
  writeFileSync(join(first.path, 'a'), '');
  await first.publish();
  assert.deepEqual(readdirSync(output), ['a']);
  await assert.rejects(stageDirectory(output, NEW), fails('OUTPUT_EXISTS'));
  for (const [i, c] of [libc(), undefined].entries()) {
    const second = await stageDirectory(output, { ...FORCE, libc: c });
    writeFileSync(join(second.path, `b${i}`), '');
    await second.publish();
    assert.deepEqual(readdirSync(output), [`b${i}`]);
    assert.deepEqual(readdirSync(dir), ['rootfs']);
  }
});

test('a directory that fills meanwhile is not replaced', async (t) => {
  const output = join(scratch(t), 'rootfs');
  const staging = await stageDirectory(output, NEW);
  mkdirSync(output);
  writeFileSync(join(output, 'theirs'), '');
  await assert.rejects(staging.publish(), fails('OUTPUT_EXISTS'));
  await staging.discard();
  assert.deepEqual(readdirSync(output), ['theirs']);
});

test('force replaces one kind by another, and a symlink itself', async (t) => {
  const dir = scratch(t);
  const output = join(dir, 'out');
  mkdirSync(join(output, 'deep'), { recursive: true });
  await makeFile(output, 'file', FORCE);
  assert.equal(readFileSync(output, 'utf8'), 'file');
  const staging = await stageDirectory(output, FORCE);
  await staging.publish();
  assert.ok(lstatSync(output).isDirectory());
  const target = join(dir, 'target');
  mkdirSync(target);
  const link = join(dir, 'link');
  symlinkSync(target, link);
  await assert.rejects(stageDirectory(link, NEW), fails('OUTPUT_EXISTS'));
  const replaced = await stageDirectory(link, FORCE);
  await replaced.publish();
  assert.ok(lstatSync(link).isDirectory());
  assert.ok(existsSync(target));
});

test('an exchange the file system lacks becomes two renames; one that fails leaves the old output', async (t) => {
  const dir = scratch(t);
  const output = join(dir, 'out');
  mkdirSync(output);
  writeFileSync(join(output, 'old'), '');
  const with2 = (errno: number): Libc => ({
    ...(libc() as Libc),
    renameat2: () => {
      throw new LibcError('renameat2', errno);
    },
  });
  const broken = await stageDirectory(output, { force: true, libc: with2(13) });
  await assert.rejects(broken.publish(), fails('IO', /cannot be put in place: EACCES/));
  await broken.discard();
  assert.deepEqual(readdirSync(output), ['old']);

  const vanished = await stageDirectory(output, { force: true, libc: with2(22) });
  rmSync(vanished.path, { recursive: true });
  await assert.rejects(vanished.publish(), fails('IO', /ENOENT/));
  await vanished.discard();
  assert.deepEqual(readdirSync(output), ['old'], 'rolled back');

  const staging = await stageDirectory(output, { force: true, libc: with2(22) });
  await staging.publish();
  assert.deepEqual(readdirSync(output), []);
  assert.deepEqual(readdirSync(dir), ['out']);
});

test('what dead runs left goes; what live ones make, and other outputs, stay', async (t) => {
  const dir = scratch(t);
  const dead = deadPid();
  const live = spawn('sleep', ['60']);
  t.after(() => live.kill());
  const start = readFileSync(`/proc/${live.pid}/stat`, 'latin1').split(') ')[1]!.split(' ')[19];
  const alive = `.out.flatten-${live.pid}-${start}`;
  const reused = `.out.flatten-${live.pid}-1`;
  for (const name of [
    alive,
    reused,
    `.out.flatten-${dead}-5`,
    `.out2.flatten-${dead}-5`,
    '.out.flatten-x-1',
  ]) {
    mkdirSync(join(dir, name, 'sub'), { recursive: true });
    chmodSync(join(dir, name, 'sub'), 0);
  }
  symlinkSync('/etc', join(dir, `.out.flatten-${dead}-6`));
  await makeFile(join(dir, 'out'), '');
  assert.deepEqual(
    readdirSync(dir).sort(),
    [alive, `.out2.flatten-${dead}-5`, '.out.flatten-x-1', 'out'].sort(),
  );
});

test('a replacement cut in two is put right: the old output comes back', async (t) => {
  const dir = scratch(t);
  const old = join(dir, `.out.flatten-${deadPid()}-7.old`);
  mkdirSync(old);
  writeFileSync(join(old, 'precious'), '');
  await assert.rejects(stageDirectory(join(dir, 'out'), NEW), fails('OUTPUT_EXISTS'));
  assert.deepEqual(readdirSync(join(dir, 'out')), ['precious']);
  mkdirSync(old);
  await assert.rejects(stageDirectory(join(dir, 'out'), NEW), fails('OUTPUT_EXISTS'));
  assert.deepEqual(readdirSync(dir), ['out'], 'beside a whole output it is a leftover');
});

test('outputs in odd places', { skip: needs('root') }, async (t) => {
  const dir = scratch(t);
  await assert.rejects(stageFile('/', NEW), fails('USAGE'));
  await assert.rejects(
    stageFile(join(dir, 'no/out'), NEW),
    fails('NOT_FOUND', /the output's directory is not there/),
  );
  await assert.rejects(stageFile('/etc/passwd/out', NEW), fails('IO', /out: cannot be written: ENOTDIR/));
  assert.throws(() => refuseExisting('/etc/passwd/out', 'file', NEW), fails('IO', /ENOTDIR/));
  await assert.rejects(stageFile('/dev/null', FORCE), fails('UNSUPPORTED', /is no file or directory/));
  const mounted = join(dir, 'mounted');
  mkdirSync(mounted);
  execFileSync('mount', ['-t', 'tmpfs', 'none', mounted]);
  try {
    assert.throws(() => refuseExisting(mounted, 'directory', NEW), fails('UNSUPPORTED', /is a mount point/));
    assert.throws(() => refuseExisting(dir, 'directory', FORCE), fails('UNSUPPORTED', /mounted is a mount/));
  } finally {
    execFileSync('umount', [mounted]);
  }
  symlinkSync(dir, join(dir, 'way'));
  const staging = await stageFile(join(dir, 'way', 'x'.repeat(255)), NEW);
  assert.match(basename(staging.path), /^\.[0-9a-f]{64}\.flatten-/);
  assert.ok(staging.path.startsWith(`${dir}/.`));
});

test('nothing is inherited from the parent', { skip: needs('root', 'setfacl', 'getfacl') }, async (t) => {
  const dir = scratch(t);
  execFileSync('chown', ['0:12345', dir]);
  execFileSync('chmod', ['2777', dir]);
  execFileSync('setfacl', ['-d', '-m', 'u:12345:rwx', dir]);
  for (const c of [libc(), undefined]) {
    const staging = await stageDirectory(join(dir, 'out'), { ...NEW, libc: c });
    const stat = statSync(staging.path);
    assert.deepEqual([stat.mode & 0o7777, stat.gid], [0o700, 0]);
    const acl = execFileSync('getfacl', ['-cp', staging.path]).toString().trim();
    assert.equal(acl, 'user::rwx\ngroup::---\nother::---');
    await staging.discard();
  }
});

test(
  'removal: locked directories without root, symlinks, a depth and length beyond all bounds',
  {
    skip: needs('setpriv', 'root'),
  },
  async (t) => {
    const dir = scratch(t);
    const outside = join(dir, 'outside');
    mkdirSync(outside);
    writeFileSync(join(outside, 'kept'), '');
    const tree = join(dir, 'tree');
    const build = `
    mkdir -p locked/inner links && ln -s ${outside} links/dir && ln -s ${outside}/kept links/file
    touch locked/inner/f locked/g "$(printf 'new\\nline')" "$(printf '\\377')"
    chmod 0 locked/inner locked/g && chmod 0500 locked && chmod 0 links
    name=$(printf 'd%.0s' $(seq 200))
    mkdir deep && cd deep && for i in $(seq 300); do mkdir $name && cd -P $name && touch f; done`;
    mkdirSync(tree);
    chmodSync(dir, 0o777);
    chmodSync(tree, 0o777);
    const url = new URL('../../src/sinks/staging/remove.js', import.meta.url).href;
    execFileSync('setpriv', ['--reuid=65534', '--regid=65534', '--clear-groups', 'bash', '-ec', build], {
      cwd: tree,
    });
    const script = `
    const { removeTree } = await import(${JSON.stringify(url)});
    process.setgroups([]); process.setgid(65534); process.setuid(65534);
    await removeTree(${JSON.stringify(join(tree, 'locked'))});
    await removeTree(${JSON.stringify(join(tree, 'links'))});
    await removeTree(${JSON.stringify(join(tree, 'deep'))});
    await removeTree(${JSON.stringify(join(tree, 'nothing'))});`;
    execFileSync(process.execPath, ['--input-type=module', '-e', script]);
    assert.equal(readdirSync(tree).length, 2);
    await removeTree(tree);
    assert.deepEqual(readdirSync(dir), ['outside']);
    assert.deepEqual(readdirSync(outside), ['kept']);
  },
);

test('removal does not reach into another file system', { skip: needs('root') }, async (t) => {
  const dir = scratch(t);
  mkdirSync(join(dir, 'tree/mnt'), { recursive: true });
  execFileSync('mount', ['-t', 'tmpfs', 'none', join(dir, 'tree/mnt')]);
  try {
    writeFileSync(join(dir, 'tree/mnt/kept'), '');
    await assert.rejects(removeTree(join(dir, 'tree')), /EBUSY/);
    assert.ok(existsSync(join(dir, 'tree/mnt/kept')));
  } finally {
    execFileSync('umount', [join(dir, 'tree/mnt')]);
  }
});

test('discard removes a link, not what it leads to', async (t) => {
  const dir = scratch(t);
  const staging = await stageFile(join(dir, 'out'), NEW);
  writeFileSync(join(dir, 'kept'), '');
  symlinkSync(join(dir, 'kept'), staging.path);
  assert.equal(readlinkSync(staging.path), join(dir, 'kept'));
  await staging.discard();
  assert.deepEqual(readdirSync(dir), ['kept']);
});

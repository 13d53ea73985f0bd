import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { userInfo } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { suite, type TestContext, test } from 'node:test';
import { FlattenError } from '../../src/errors.js';
import { type Libc, LibcError, libc } from '../../src/host/libc.js';
import { removeTree } from '../../src/sinks/staging/remove.js';
import {
  refuseExisting,
  type Staging,
  type StagingOptions,
  stageDirectory,
  stageFile,
  stageLayout,
} from '../../src/sinks/staging.js';
import { needs } from '../support/needs.js';
import { scratch } from '../support/scratch.js';

const NEW = { force: false };
const FORCE = { force: true };

/** Directories are replaced where they look like a root filesystem: these all share a name with the new tree. */
function stageTree(output: string, options: StagingOptions): Promise<Staging> {
  return stageDirectory(output, { top: new Set(['a', 'b0', 'old']), ...options });
}

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

test('a file appears whole, from a private directory that tells who makes it', async (t) => {
  const dir = scratch(t);
  const output = join(dir, 'out.tar');
  const staging = await stageFile(output, { force: false });
  const start = readFileSync('/proc/self/stat', 'latin1').split(') ')[1]!.split(' ')[19];
  const [name = ''] = readdirSync(dir);
  assert.match(name, new RegExp(`^\\.out\\.tar\\.flatten-${process.pid}-${start}-[0-9a-f]{16}$`));
  assert.equal(statSync(join(dir, name)).mode & 0o7777, 0o700);
  assert.equal(realpathSync(dirname(staging.path)), join(dir, name));
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
  await assert.rejects(stageTree(output, NEW), fails('OUTPUT_EXISTS', /is being written already/));
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
  const first = await stageTree(`${output}/`, NEW);
  assert.equal(statSync(first.path).mode & 0o7777, 0o700);
  writeFileSync(join(first.path, 'a'), '');
  await first.publish();
  assert.deepEqual(readdirSync(output), ['a']);
  await assert.rejects(stageTree(output, NEW), fails('OUTPUT_EXISTS'));
  for (const [i, c] of [libc(), undefined].entries()) {
    const second = await stageTree(output, { ...FORCE, libc: c });
    writeFileSync(join(second.path, `b${i}`), '');
    await second.publish();
    assert.deepEqual(readdirSync(output), [`b${i}`]);
    assert.deepEqual(readdirSync(dir), ['rootfs']);
  }
});

test('a directory that fills meanwhile is not replaced', async (t) => {
  const output = join(scratch(t), 'rootfs');
  const staging = await stageTree(output, NEW);
  mkdirSync(output);
  writeFileSync(join(output, 'theirs'), '');
  await assert.rejects(staging.publish(), fails('OUTPUT_EXISTS'));
  await staging.discard();
  assert.deepEqual(readdirSync(output), ['theirs']);
});

test('force replaces one kind by another, and a symlink itself', async (t) => {
  const dir = scratch(t);
  const output = join(dir, 'out');
  mkdirSync(output);
  await makeFile(output, 'file', FORCE);
  assert.equal(readFileSync(output, 'utf8'), 'file');
  const staging = await stageTree(output, FORCE);
  await staging.publish();
  assert.ok(lstatSync(output).isDirectory());
  const target = join(dir, 'target');
  mkdirSync(target);
  const link = join(dir, 'link');
  symlinkSync(target, link);
  await assert.rejects(stageTree(link, NEW), fails('OUTPUT_EXISTS'));
  const replaced = await stageTree(link, FORCE);
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
  const broken = await stageTree(output, { force: true, libc: with2(13) });
  await assert.rejects(broken.publish(), fails('IO', /cannot be put in place: EACCES/));
  await broken.discard();
  assert.deepEqual(readdirSync(output), ['old']);

  const vanished = await stageTree(output, { force: true, libc: with2(22) });
  rmdirSync(vanished.path);
  await assert.rejects(vanished.publish(), fails('IO', /ENOENT/));
  await vanished.discard();
  assert.deepEqual(readdirSync(output), ['old'], 'rolled back');

  const staging = await stageTree(output, { force: true, libc: with2(22) });
  await staging.publish();
  assert.deepEqual(readdirSync(output), []);
  assert.deepEqual(readdirSync(dir), ['out']);
});

/** A private directory as a run leaves it. */
function leave(dir: string, owner: string, content: readonly string[], output = 'out'): string {
  const name = `.${output}.flatten-${owner}-0123456789abcdef`;
  mkdirSync(join(dir, name), { mode: 0o700 });
  for (const path of content) {
    mkdirSync(join(dir, name, path, 'sub'), { recursive: true });
    chmodSync(join(dir, name, path, 'sub'), 0);
  }
  return name;
}

test('what dead runs left goes; what live ones make, other outputs, and what only has such a name stay', async (t) => {
  const dir = scratch(t);
  const dead = deadPid();
  const live = spawn('sleep', ['60']);
  t.after(() => live.kill());
  const start = readFileSync(`/proc/${live.pid}/stat`, 'latin1').split(') ')[1]!.split(' ')[19];
  const kept = [
    leave(dir, `${live.pid}-${start}`, ['new']),
    leave(dir, `${dead}-5`, ['new'], 'out2'),
    leave(dir, `${dead}-6`, ['new', 'theirs']),
    leave(dir, 'x-1', ['new']),
  ];
  leave(dir, `${live.pid}-1`, ['new']);
  leave(dir, `${dead}-5`, ['new', 'raw']);
  const open = leave(dir, `${dead}-7`, ['new']);
  chmodSync(join(dir, open), 0o755);
  symlinkSync('/etc', join(dir, `.out.flatten-${dead}-8-0123456789abcdef`));
  kept.push(open, `.out.flatten-${dead}-8-0123456789abcdef`, 'out');
  await makeFile(join(dir, 'out'), '');
  assert.deepEqual(readdirSync(dir).sort(), kept.sort());
});

test('what another user left is left alone', { skip: needs('root') }, async (t) => {
  const dir = scratch(t);
  const name = leave(dir, `${deadPid()}-5`, ['new']);
  chownSync(join(dir, name), 65534, 65534);
  await makeFile(join(dir, 'out'), '');
  assert.deepEqual(readdirSync(dir).sort(), [name, 'out']);
});

test('a replacement cut in two is put right: the old output comes back', async (t) => {
  const dir = scratch(t);
  const dead = deadPid();
  const old = join(dir, leave(dir, `${dead}-7`, ['new']), 'old');
  mkdirSync(old);
  writeFileSync(join(old, 'precious'), '');
  await assert.rejects(stageTree(join(dir, 'out'), NEW), fails('OUTPUT_EXISTS'));
  assert.deepEqual(readdirSync(join(dir, 'out')), ['precious']);
  leave(dir, `${dead}-7`, ['old']);
  await assert.rejects(stageTree(join(dir, 'out'), NEW), fails('OUTPUT_EXISTS'));
  assert.deepEqual(readdirSync(dir), ['out'], 'beside a whole output it is a leftover');
  const name = leave(dir, `${dead}-7`, ['new', 'old']);
  await assert.rejects(stageTree(join(dir, 'out'), FORCE), fails('OUTPUT_EXISTS', /was killed/));
  assert.deepEqual(readdirSync(join(dir, name)), ['new', 'old'], 'where it cannot be told, nothing goes');
});

test("a directory is replaced only if it looks like a root filesystem, and is nobody's place", async (t) => {
  const dir = scratch(t);
  const top = new Set(['app', 'bin']);
  const tree = (...names: string[]) => {
    const path = join(dir, String(readdirSync(dir).length));
    for (const name of names) mkdirSync(join(path, name), { recursive: true });
    return path;
  };
  for (const name of ['bin', 'dev', 'etc', 'lib', 'proc', 'sbin', 'sys', 'usr', 'var', 'app']) {
    const output = tree(name, 'docs');
    await (await stageDirectory(output, { ...FORCE, top })).publish();
    assert.deepEqual(readdirSync(output), []);
  }
  const why = async (reason: RegExp, output: string, names = top) => {
    const before = readdirSync(output);
    for (const options of [FORCE, NEW])
      await assert.rejects(stageDirectory(output, { ...options, top: names }), (error: FlattenError) => {
        assert.equal(error.code, 'OUTPUT_EXISTS');
        assert.match(error.hint ?? '', reason);
        assert.match(error.hint ?? '', /rm -r/);
        return true;
      });
    assert.deepEqual(readdirSync(output), before);
  };
  await why(
    /holds 5 entries: a, b, c, docs, …, .*does not look like a root/,
    tree('docs', 'music', 'a', 'b', 'c'),
  );
  await why(/holds a Git repository/, tree('.git', 'bin'));
  await why(/directory of the running system/, '/usr');
  await why(/directory of the running system/, '/usr/local');
  const home = tree('bin');
  const { HOME } = process.env;
  t.after(() => {
    process.env.HOME = HOME;
  });
  process.env.HOME = home;
  await why(/is a home directory/, home);
  process.env.HOME = join(tree('bin', 'people/me'), 'people/me');
  await why(/holds the home directory .*people\/me/, dirname(dirname(process.env.HOME)));
  await why(/home directory/, userInfo().homedir);
  const changing = tree('bin');
  const staging = await stageDirectory(changing, { ...FORCE, top });
  rmSync(join(changing, 'bin'), { recursive: true });
  mkdirSync(join(changing, 'letters'));
  await assert.rejects(staging.publish(), fails('OUTPUT_EXISTS'));
  await staging.discard();
  assert.deepEqual(readdirSync(changing), ['letters']);
  await assert.rejects(stageFile(tree('bin'), FORCE), /exists already/);
  await assert.rejects(stageLayout(tree('bin'), FORCE), /exists already/);
});

/** What is done to the tree is done in a namespace of mounts, where nothing of this machine is reached. */
const TRY = `
import { mkdirSync, readdirSync } from 'node:fs';
const { refuseExisting } = await import(process.argv[1]);
for (const output of process.argv.slice(2)) {
  try {
    refuseExisting(output, 'directory', { force: true, top: new Set(['bin']) });
    console.log(output, 'is replaced');
  } catch (error) {
    console.log(output, error.message, error.hint);
  }
}`;

test('homes and the system by other names', { skip: needs('root', 'unshare', 'mount') }, (t) => {
  const dir = scratch(t);
  const script = `
mount -t tmpfs none /home && mkdir -p /home/ldap/bin /home/rootfs/bin && chown 1234 /home/ldap
mkdir all ours ours/bin ours/sub there && mount --bind / all && mount --bind ours/sub there && mount -t tmpfs none /srv
mkdir -p /srv/me/bin /srv/you/bin "$HOME" && mount --bind /srv/me "$HOME"
"$@"`;
  const module = new URL('../../src/sinks/staging/replace.js', import.meta.url).href;
  const outputs = ['all/usr', 'all/usr/local', '/home/ldap', '/home/rootfs', '/srv/me', '/srv/you', 'ours'];
  const node = [process.execPath, '--input-type=module', '-e', TRY, module, ...outputs];
  const env = { ...process.env, HOME: join(dir, 'home') };
  const said = execFileSync('unshare', ['-m', 'sh', '-e', '-c', script, 'sh', ...node], { cwd: dir, env });
  const lines = said.toString().trim().split('\n');
  for (const [index, line] of [
    /^all.usr .*directory of the running system/,
    /^all.usr.local .*directory of the running system/,
    /^.home.ldap .*is a home directory/,
    /^.home.rootfs is replaced/,
    /^.srv.me .*holds the home directory/,
    /^.srv.you is replaced/,
    /^ours .*it, or a part of it, is mounted at .*there too/,
  ].entries())
    assert.match(lines[index] ?? '', line);
});

test('outputs in odd places', { skip: needs('root') }, async (t) => {
  const dir = scratch(t);
  await assert.rejects(stageFile('/', NEW), fails('USAGE'));
  await assert.rejects(
    stageFile(join(dir, 'no/out'), NEW),
    fails('NOT_FOUND', /the output's directory is not there/),
  );
  await assert.rejects(
    stageFile('/etc/passwd/out', NEW),
    fails('IO', /out: cannot be written: not a directory \(ENOTDIR\)/),
  );
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
  const real = realpathSync(dirname(staging.path));
  assert.match(basename(real), /^\.[0-9a-f]{64}\.flatten-/);
  assert.equal(dirname(real), dir);
  await staging.discard();
});

test('nothing is inherited from the parent', { skip: needs('root', 'setfacl', 'getfacl') }, async (t) => {
  const dir = scratch(t);
  execFileSync('chown', ['0:12345', dir]);
  execFileSync('chmod', ['2777', dir]);
  execFileSync('setfacl', ['-d', '-m', 'u:12345:rwx', dir]);
  for (const c of [libc(), undefined]) {
    const staging = await stageTree(join(dir, 'out'), { ...NEW, libc: c });
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

suite('on an overlayfs', { skip: needs('root', 'mount') }, () => {
  /** A merged directory whose lower has `out` with some content; an overlayfs over an overlayfs would not do, so a tmpfs holds it. */
  function overlay(t: TestContext): string {
    const mounted: string[] = [];
    t.after(() => {
      for (const point of mounted.reverse()) execFileSync('umount', [point]);
    });
    const dir = scratch(t);
    execFileSync('mount', ['-t', 'tmpfs', 'none', dir]);
    mounted.push(dir);
    for (const name of ['lower/out/bin/deep', 'upper', 'work', 'merged'])
      mkdirSync(join(dir, name), { recursive: true });
    writeFileSync(join(dir, 'lower/out/bin/deep/old'), 'old');
    linkSync(join(dir, 'lower/out/bin/deep/old'), join(dir, 'lower/out/second'));
    writeFileSync(join(dir, 'lower/out/oci-layout'), '{}');
    const merged = join(dir, 'merged');
    const layers = ['lower', 'upper', 'work'].map((name) => `${name}dir=${join(dir, name)}`);
    execFileSync('mount', ['-t', 'overlay', 'none', '-o', `${layers.join()},redirect_dir=off`, merged]);
    mounted.push(merged);
    return merged;
  }

  test('a directory of a lower layer is replaced, with and without renameat2', async (t) => {
    for (const c of [libc(), undefined]) {
      const merged = overlay(t);
      const output = join(merged, 'out');
      assert.throws(() => renameSync(output, join(merged, 'else')), /EXDEV/);
      const staging = await stageTree(output, { ...FORCE, libc: c });
      writeFileSync(join(staging.path, 'made'), '');
      await staging.publish();
      assert.deepEqual(readdirSync(output), ['made']);
      assert.deepEqual(readdirSync(merged), ['out']);
    }
  });

  test('an empty one, a layout and a file of a lower layer too', async (t) => {
    const output = join(overlay(t), 'out');
    const layout = await stageLayout(output, FORCE);
    writeFileSync(join(layout.path, 'oci-layout'), 'new');
    await layout.publish();
    assert.equal(readFileSync(join(output, 'oci-layout'), 'utf8'), 'new');
    const other = join(overlay(t), 'out');
    for (const name of readdirSync(other)) rmSync(join(other, name), { recursive: true });
    const staging = await stageTree(other, NEW);
    writeFileSync(join(staging.path, 'made'), '');
    await staging.publish();
    assert.deepEqual(readdirSync(other), ['made']);
    const file = join(overlay(t), 'out/oci-layout');
    await makeFile(file, 'new', FORCE);
    assert.equal(readFileSync(file, 'utf8'), 'new');
  });

  test('where it cannot be replaced, the old one is there as it was', async (t) => {
    const merged = overlay(t);
    const output = join(merged, 'out');
    const staging = await stageTree(output, FORCE);
    const seen = () =>
      execFileSync('sh', ['-c', 'ls -lRn . && cat bin/deep/old'], { cwd: output, encoding: 'utf8' });
    const before = seen();
    rmdirSync(staging.path); // fails the last step, when the old one has been removed
    await assert.rejects(staging.publish(), fails('IO', /ENOENT/));
    await staging.discard();
    assert.equal(seen(), before);
    assert.deepEqual(readdirSync(merged), ['out']);
  });
});

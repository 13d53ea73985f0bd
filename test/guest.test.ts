import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, copyFileSync, mkdirSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, suite, type TestContext, test } from 'node:test';
import { cpio, flatten, type Node, openImage, type Tree } from '../src/index.js';
import { needs } from './support/needs.js';
import { PROJECT } from './support/project.js';
import { scratch } from './support/scratch.js';

const DEMO = join(PROJECT, 'test/images/demo.tar');
const BOOT = join(PROJECT, 'vm-fixtures/boot');
const FORMATS = {
  directory: 0o040000,
  file: 0o100000,
  symlink: 0o120000,
  char: 0o020000,
  block: 0o060000,
  fifo: 0o010000,
};
const skip = needs('qemu-system-x86_64', 'apt-get', 'dpkg', 'mke2fs');

/** What the guest must say of the tree: lines as its `init` prints them, without the inode numbers and a directory's size. */
async function expected(fs: string): Promise<string[]> {
  await using image = await openImage(DEMO);
  const add = [{ directory: join(PROJECT, 'vm-fixtures/.guest/busybox'), path: 'bin' }];
  await using tree = await image.tree({ add, addInit: true });
  return await linesOf(tree, fs.startsWith('ext') ? 1 : 0); // lost+found is one more subdirectory of the root
}

async function linesOf(tree: Tree, moreInRoot: number): Promise<string[]> {
  const lines: string[] = [];
  for (const { path, node } of tree.walk()) {
    const content = node.kind === 'file' ? await tree.read(path) : undefined;
    const links = node.nlink + (path === '' ? moreInRoot : 0);
    lines.push(...lineOf(`.${path && '/'}${path}`, node, links, content));
  }
  return lines.sort();
}

/** What the guest prints of a name, without the inode number and a directory's size. */
function withoutInode(line: string): string {
  return line
    .replace(/^(entry \S+ \d+ \d+ \d+ \d+ \S+ \d+) \d+ /, '$1 ')
    .replace(/^(entry 4\S+ \d+ \d+) \d+ /, '$1 - ');
}

/** The first process of a guest that has an image in its memory: it lists what the kernel made of the archive. */
const INIT = `#!/busybox sh
b=/busybox
cd /
set -- -xdev -path ./dev -prune -o -path ./root -prune -o
$b find . "$@" -exec $b stat -c 'entry %f %u %g %s %Y %t:%T %h %i %n' {} +
$b find . "$@" -type l -exec $b sh -c 'for link; do echo "target $($0 readlink "$link") $link"; done' $b {} +
$b find . "$@" -type f -exec $b sha256sum {} + | $b sed 's/^/content /'
$b poweroff -f
`;

function lineOf(name: string, node: Node, links: number, content?: Buffer): string[] {
  const { meta, kind } = node;
  const mode = (FORMATS[kind] | meta.mode).toString(16);
  const size =
    kind === 'file'
      ? node.content.size
      : kind === 'symlink'
        ? node.target.length
        : kind === 'directory'
          ? '-'
          : 0;
  const device = 'major' in node ? `${node.major.toString(16)}:${node.minor.toString(16)}` : '0:0';
  const lines = [
    `entry ${mode} ${meta.uid} ${meta.gid} ${size} ${meta.mtime / 1_000_000_000n} ${device} ${links} ${name}`,
  ];
  if (kind === 'symlink') lines.push(`target ${node.target} ${name}`);
  if (content) lines.push(`content ${createHash('sha256').update(content).digest('hex')}  ${name}`);
  return lines;
}

/** Boots a guest; gives its exit code and what it said. */
function booted(...args: string[]) {
  const { status, stdout } = spawnSync(BOOT, args, { encoding: 'utf8', timeout: 120_000 });
  return { status, stdout, lines: stdout.split('\n').map((line) => line.trimEnd()) };
}

/** An image of busybox that runs a script as a user with groups, and has a volume. */
async function imageOfProgram(t: TestContext, script: readonly string[]): Promise<string> {
  const cwd = scratch(t);
  const bare = join(cwd, 'bare');
  for (const directory of ['bin', 'etc', 'run', 'data'])
    mkdirSync(join(bare, directory), { recursive: true });
  copyFileSync('/bin/busybox', join(bare, 'bin/busybox'));
  const applets = ['sh', 'id', 'hostname', 'cat', 'ls', 'ifconfig', 'grep'];
  for (const applet of applets) symlinkSync('busybox', join(bare, 'bin', applet));
  writeFileSync(join(bare, 'etc/passwd'), 'app:x:1000:1000::/home:/nowhere\n');
  writeFileSync(join(bare, 'etc/group'), 'one:x:20:app\ntwo:x:30:app\n');
  writeFileSync(join(bare, 'run/kept'), 'kept\n');
  writeFileSync(join(bare, 'data/kept'), 'kept\n');
  chmodSync(join(bare, 'run'), 0o777);
  chmodSync(join(bare, 'data'), 0o777);
  const changes = [
    ...['USER app', 'WORKDIR "/work dir"', `ENV NAME="it's"`, 'VOLUME /data'],
    `CMD ${JSON.stringify(['sh', '-c', script.join('\n')])}`,
  ];
  const image = join(cwd, 'image.tar');
  await flatten({ input: bare, output: `docker-archive:${image}:it:1`, image: { changes } });
  return image;
}

/** Runs it where it must fail: gives the lines it says. */
function refused(args: readonly string[], code: number, env: NodeJS.ProcessEnv = {}): string[] {
  const { status, stderr } = spawnSync(BOOT, args, { encoding: 'utf8', env: { ...process.env, ...env } });
  assert.equal(status, code, stderr);
  assert.doesNotMatch(stderr, /^ +at /m, 'a stack is no answer');
  return stderr.trimEnd().split('\n');
}

test('vm-fixtures/boot tells how it is used, and what is wrong, in words', { skip }, (t) => {
  const { status, stdout } = spawnSync(BOOT, ['--help'], { encoding: 'utf8' });
  assert.equal(status, 0);
  assert.match(stdout, /^ {2}vm-fixtures\/boot \[--manifest\] .*IMAGE/m);
  const guest = { FLATTEN_GUEST: join(PROJECT, 'vm-fixtures/.guest') };
  const broken = join(scratch(t), 'broken.tar');
  writeFileSync(broken, 'no tar at all');
  for (const [args, code, first] of [
    [[], 2, 'no image'],
    [['--frobnicate', DEMO], 2, /Unknown option '--frobnicate'/],
    [['--fs', 'xfs', DEMO], 2, '--fs xfs: unknown'],
    [['missing.tar'], 1, 'missing.tar: no such file or directory'],
    [[broken], 1, /broken\.tar: is neither an image nor a tar archive/],
  ] as const) {
    const [line, ...more] = refused(args, code, guest);
    assert.match(line!, first instanceof RegExp ? first : new RegExp(`^vm-fixtures/boot: error: ${first}$`));
    assert.ok(more.length <= 1, more.join('\n'));
  }
  const bin = scratch(t);
  for (const tool of ['sh', 'node', 'dirname', 'readlink', 'sed']) {
    const at = spawnSync('sh', ['-c', `command -v ${tool}`], { encoding: 'utf8' }).stdout.trim();
    symlinkSync(realpathSync(at), join(bin, tool));
  }
  assert.deepEqual(refused([DEMO], 1, { ...guest, PATH: bin }), [
    'vm-fixtures/boot: error: qemu-system-x86_64: is not installed',
    '  sudo apt-get install qemu-system-x86',
  ]);
});

suite('a guest boots the image as its disk', { skip }, () => {
  before(() => {
    // The build is left for the next run; it takes the network, so it is not the test's to time.
    const { status, stderr } = spawnSync(join(PROJECT, 'vm-fixtures/build'), { encoding: 'utf8' });
    assert.equal(status, 0, stderr);
  });

  for (const fs of ['ext3', 'ext4', 'erofs', 'squashfs']) {
    const tools = fs === 'squashfs' ? needs('sqfstar') : false;
    test(`${fs}: it sees the tree, and the entrypoint runs`, { skip: tools }, async () => {
      const { status, lines, stdout } = booted('--manifest', '--fs', fs, DEMO);
      const seen = lines
        .slice(lines.indexOf('flatten-guest: manifest') + 1, lines.indexOf('flatten-guest: end of manifest'))
        .map(withoutInode);
      const wanted = await expected(fs);
      // sqfstar has no way to say what the root's owner and time are.
      const isRoot = (line: string) => fs === 'squashfs' && /^entry .* \.$/.test(line);
      const without = (all: readonly string[]) => all.filter((line) => !isRoot(line));
      assert.deepEqual(without(seen.sort()), without(wanted));
      assert.ok(lines.includes('hello from one filesystem, made of four layers'), stdout);
      assert.equal(status, 0);
    });
  }

  test('the machine is as a program expects it, on a disk and in memory', async (t) => {
    const image = await imageOfProgram(t, [
      ...[
        'id -u; id -G; pwd; echo "$HOME $NAME"; hostname; cat /proc/1/comm; ls -1d /dev/null /dev/pts/ptmx /dev/stdout',
      ],
      ...[
        'echo out >/dev/stdout; echo a >/run/a && echo b >/tmp/b && echo c >/dev/shm/c && cat /run/a /tmp/b /dev/shm/c',
      ],
      ...[
        'cat /run/kept /data/kept; echo d >/data/d && cat /data/d; ifconfig lo | grep -c 127.0.0.1; exit 9',
      ],
    ]);
    for (const fs of ['erofs', 'cpio']) {
      const { status, lines, stdout } = booted('--fs', fs, image);
      const said = lines.slice(lines.indexOf('1000'), lines.indexOf('flatten-init: exit code 9'));
      assert.deepEqual(
        said,
        [
          ...['1000', '1000 20 30', '/work dir', "/home it's", 'flatten', 'flatten-init'],
          ...['/dev/null', '/dev/pts/ptmx', '/dev/stdout', 'out', 'a', 'b', 'c', 'kept', 'kept', 'd', '1'],
        ],
        `${fs}: ${stdout}`,
      );
      assert.equal(status, 9);
    }
  });

  test('cpio: Linux takes it as its initramfs', { skip: needs('busybox') }, async (t) => {
    const directory = scratch(t);
    const added = join(directory, 'added');
    mkdirSync(added);
    copyFileSync('/bin/busybox', join(added, 'busybox'));
    writeFileSync(join(added, 'init'), INIT, { mode: 0o755 });
    const output = join(directory, 'initramfs.cpio.zst');
    await using image = await openImage(DEMO);
    await using tree = await image.tree({ add: [{ directory: added, path: '' }] });
    const { losses } = await tree.writeTo(cpio(output));
    assert.deepEqual(
      losses.map(({ kind }) => kind),
      ['mtime', 'xattr'],
    );
    const line = 'console=ttyS0 quiet panic=-1 no_timer_check';
    const machine = ['-machine', 'q35,accel=tcg', '-cpu', 'max', '-m', '512', '-no-reboot', '-nodefaults'];
    const kernel = [
      '-kernel',
      join(PROJECT, 'vm-fixtures/.guest/kernel'),
      '-initrd',
      output,
      '-append',
      line,
    ];
    const shown = ['-display', 'none', '-serial', 'stdio'];
    const { stdout } = spawnSync('qemu-system-x86_64', [...machine, ...kernel, ...shown], {
      encoding: 'utf8',
      timeout: 120_000,
    });
    const lines = stdout.split('\n').map((each) => each.trimEnd());
    const seen = lines.filter((each) => /^(entry|target|content) /.test(each)).map(withoutInode);
    assert.deepEqual(seen.sort(), await linesOf(tree, 2)); // Linux itself makes dev and root
  });

  test('another command, and its exit code', () => {
    const { status, stdout } = booted(DEMO, '/usr/bin/nothing');
    assert.equal(status, 127, stdout);
  });
});

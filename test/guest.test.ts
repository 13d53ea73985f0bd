import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, suite, test } from 'node:test';
import { cpio, type Node, openImage, type Tree } from '../src/index.js';
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
async function expected(): Promise<string[]> {
  await using image = await openImage(DEMO);
  await using tree = await image.tree();
  return await linesOf(tree, 1); // lost+found is one more subdirectory of the root
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

  for (const fs of ['ext3', 'ext4']) {
    test(`${fs}: it sees the tree, and the entrypoint runs`, async () => {
      const { status, stdout } = spawnSync(BOOT, ['--manifest', '--fs', fs, DEMO], {
        encoding: 'utf8',
        timeout: 120_000,
      });
      const lines = stdout.split('\n').map((line) => line.trimEnd());
      const seen = lines
        .slice(lines.indexOf('flatten-guest: manifest') + 1, lines.indexOf('flatten-guest: end of manifest'))
        .map(withoutInode);
      assert.deepEqual(seen.sort(), await expected());
      assert.ok(lines.includes('hello from one filesystem, made of four layers'), stdout);
      assert.equal(status, 0);
    });
  }

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
    const line = 'console=ttyS0 quiet panic=-1';
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
    const { status, stdout } = spawnSync(BOOT, [DEMO, '/usr/bin/nothing'], {
      encoding: 'utf8',
      timeout: 120_000,
    });
    assert.equal(status, 127, stdout);
  });
});

import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { needs } from '../support/needs.js';
import { run } from '../support/program.js';
import { PROJECT } from '../support/project.js';
import { scratch } from '../support/scratch.js';

const DEMO = join(PROJECT, 'test/images/demo.tar');
const skip = needs('root', 'mount', 'losetup', 'mknod');

/**
 * Few machines for tests have a device mapper. This stands for veritysetup: it writes down how it is run, and its devices are those of
 * loop devices, so that all else, the kernel's mount too, is real.
 */
const VERITYSETUP = `#!/bin/sh
echo "$@" >> "$LOG"
case "$1" in
open)
  loop=$(losetup -r -f --show "$2") || exit 1
  mkdir -p /dev/mapper && mknod "/dev/mapper/$3" b $(stat -c '0x%t 0x%T' "$loop") && echo "$loop" > "$LOG.loop" ;;
close) rm "/dev/mapper/$2" && losetup -d "$(cat "$LOG.loop")" ;;
esac
`;

/** A directory with an image and a place to mount it, and the program to run it with. */
function workplace(t: TestContext, format: string, ...options: string[]) {
  const cwd = scratch(t);
  mkdirSync(join(cwd, 'bin'));
  mkdirSync(join(cwd, 'dir'));
  writeFileSync(join(cwd, 'bin/veritysetup'), VERITYSETUP);
  chmodSync(join(cwd, 'bin/veritysetup'), 0o755);
  const image = `disk.${format}`;
  const made = run([DEMO, '-o', image, '-q', ...options], { cwd });
  assert.equal(made.code, 0, made.stderr);
  const log = join(cwd, 'log');
  const env = { PATH: `${join(cwd, 'bin')}:${process.env.PATH}`, LOG: log };
  const lines = () => (existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n') : []);
  return { cwd, image, flatten: (...args: string[]) => run(args, { cwd, env }), lines };
}

const said = (cwd: string, image: string) =>
  JSON.parse(readFileSync(join(cwd, `${image}.verity.json`), 'utf8'));

for (const [format, more, tools] of [
  ['erofs', '', []],
  ['squashfs', '', ['sqfstar']],
  ['ext4', ',noload', ['mke2fs']],
] as const) {
  test(
    `${format}: a hash tree beside the disk is opened, mounted, and closed again`,
    {
      skip: skip || needs(...tools),
    },
    (t) => {
      const { cwd, image, flatten, lines } = workplace(t, format, '--verity');
      const { rootHash, hashOffset } = said(cwd, image);
      const mounted = flatten('mount', image, 'dir', '--json');
      assert.equal(mounted.code, 0, mounted.stderr);
      const { verity, options } = JSON.parse(mounted.stdout.toString());
      assert.equal(options.join(','), `ro,noatime,nodiratime${more}`);
      assert.equal(verity.rootHash, rootHash);
      const name = verity.device.slice('/dev/mapper/'.length);
      assert.match(name, /^flatten-[0-9a-f]{16}$/);
      assert.deepEqual(lines(), [`open ${image} ${name} ${image} ${rootHash} --hash-offset=${hashOffset}`]);
      const table = readFileSync('/proc/self/mounts', 'utf8');
      assert.match(table, new RegExp(`${verity.device} ${cwd}/dir ${format} ro,`));
      assert.match(readFileSync(join(cwd, 'dir/etc/passwd'), 'utf8'), /^root:/);
      const { code, stderr } = flatten('unmount', 'dir');
      assert.equal(code, 0, stderr);
      assert.equal(lines().at(-1), `close ${name}`);
      assert.ok(!existsSync(verity.device));
      assert.deepEqual(readdirSync(join(cwd, 'dir')), []);
    },
  );
}

test(
  'a tree in a file of its own, without a description, by the root hash that is trusted',
  { skip },
  (t) => {
    const { cwd, image, flatten, lines } = workplace(t, 'erofs', '--verity=tree');
    const { rootHash } = said(cwd, image);
    rmSync(join(cwd, `${image}.verity.json`));
    const refused = flatten('mount', image, 'dir', '--verity=tree');
    assert.equal(refused.code, 2);
    assert.match(refused.stderr, /nobody says which root hash it should have\n.*--root-hash HEX/);
    const mounted = flatten('mount', image, 'dir', '--verity=tree', '--root-hash', rootHash);
    assert.equal(mounted.code, 0, mounted.stderr);
    assert.match(lines()[0]!, new RegExp(`^open ${image} flatten-\\w+ tree ${rootHash} --hash-offset=0$`));
    assert.equal(flatten('unmount', 'dir').code, 0);
  },
);

test('--no-verity mounts the disk as it is', { skip }, (t) => {
  const { cwd, image, flatten, lines } = workplace(t, 'erofs', '--verity');
  assert.equal(flatten('mount', image, 'dir', '--no-verity').code, 0);
  assert.match(readFileSync('/proc/self/mounts', 'utf8'), new RegExp(`/dev/loop\\d+ ${cwd}/dir erofs ro,`));
  assert.equal(flatten('unmount', 'dir').code, 0);
  assert.deepEqual(lines(), []);
});

test('what cannot be mounted is closed, and what does not fit is refused before', { skip }, (t) => {
  const { cwd, image, flatten, lines } = workplace(t, 'erofs', '--verity');
  const failed = flatten('mount', image, 'none');
  assert.equal(failed.code, 1);
  assert.match(failed.stderr, /mount: .*none/);
  const [opened, closed] = lines();
  assert.equal(closed, `close ${opened!.split(' ')[2]}`);
  writeFileSync(join(cwd, image), readFileSync(join(cwd, image)).subarray(0, -4096));
  const cut = flatten('mount', image, 'dir');
  assert.equal(cut.code, 1);
  assert.match(cut.stderr, /ends at byte .*\n {2}flatten verify disk\.erofs/);
  assert.equal(lines().length, 2);
});

/** Whether the kernel has a device mapper, loaded or built in. */
const hasMapper = (() => {
  try {
    return / device-mapper$/m.test(readFileSync('/proc/misc', 'utf8'));
  } catch {
    return false;
  }
})();

/** Either the kernel checks what it reads, or the error says that it cannot. */
test(
  hasMapper ? 'the kernel checks what it reads' : 'without dm-verity in the kernel the error says so',
  { skip: needs('root', 'veritysetup') },
  (t) => {
    const { cwd, image } = workplace(t, 'erofs', '--verity');
    if (!hasMapper) {
      const { code, stderr } = run(['mount', image, 'dir'], { cwd });
      assert.equal(code, 1);
      assert.match(stderr, /the system has no dm-verity: .*\n {2}modprobe dm-verity, or mount .*--no-verity/);
      return;
    }
    const mounted = run(['mount', image, 'dir'], { cwd });
    assert.equal(mounted.code, 0, mounted.stderr);
    try {
      assert.match(readFileSync(join(cwd, 'dir/etc/passwd'), 'utf8'), /^root:/);
    } finally {
      const { code, stderr } = run(['unmount', 'dir'], { cwd });
      assert.equal(code, 0, stderr);
    }
  },
);

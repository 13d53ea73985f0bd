/** Whatever ends the program, or takes its terminal away: an exit code that says so, and nothing half-made. */
import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { buffer, text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { pack } from 'tar-stream';
import { needs } from './support/needs.js';
import { CLI, run, start } from './support/program.js';
import { PROJECT } from './support/project.js';
import { scratch } from './support/scratch.js';
import { hasOpen, until } from './support/until.js';

const DEMO = join(PROJECT, 'test/images/demo.tar');

function workplace(t: TestContext): string {
  const cwd = scratch(t);
  copyFileSync(DEMO, join(cwd, 'image.tar'));
  return cwd;
}

/** Runs a shell's command line, in which `flatten` is the program; the output of both streams is not seen. */
function shell(cwd: string, line: string): { code: number | null; stdout: string; stderr: string } {
  const script = `flatten() { "${process.execPath}" "${CLI}" "$@"; }\n${line}`;
  // What is limited here is flatten: the report of coverage that Node writes at its end would not fit.
  const env = { ...process.env, NODE_V8_COVERAGE: undefined };
  const { status, stdout, stderr } = spawnSync('/bin/sh', ['-c', script], { cwd, env, encoding: 'utf8' });
  return { code: status, stdout, stderr };
}

test('a standard error that takes nothing changes nothing', (t) => {
  const cwd = workplace(t);
  run(['image.tar', '-o', 'wanted.tar', '-q'], { cwd });
  const wanted = readFileSync(join(cwd, 'wanted.tar'));
  for (const redirection of ['2>/dev/full', '2>&-', '>/dev/full', '>&-', '>&- 2>&-', '<&- >&- 2>&-']) {
    const { code } = shell(cwd, `flatten image.tar -o out.tar --force --exclude nothing ${redirection}`);
    assert.equal(code, 0, redirection);
    assert.ok(readFileSync(join(cwd, 'out.tar')).equals(wanted), redirection);
  }
  const failed = shell(cwd, 'flatten none.tar -o none/ 2>/dev/full');
  assert.equal(failed.code, 1);
  assert.deepEqual(readdirSync(cwd).sort(), ['image.tar', 'out.tar', 'wanted.tar']);
});

test('what standard output does not take is no success', (t) => {
  const cwd = workplace(t);
  for (const [command, redirection, expected] of [
    ['image.tar -o -', '>&-', 2],
    ['image.tar -o -', '>/dev/full', 1],
    ['image.tar -o - --format docker-archive', '>&-', 2],
    ['image.tar -o - --format docker-archive', '>/dev/full', 1],
    ['import image.tar -o -', '>&-', 2],
    ['image.tar -o out.img --plan', '>/dev/full', 1],
  ] as const) {
    const { code, stderr } = shell(cwd, `flatten ${command} ${redirection}`);
    assert.equal(code, expected, `${command} ${redirection}: ${stderr}`);
    assert.match(stderr, /^flatten: error: standard output: /, `${command} ${redirection}`);
    assert.deepEqual(readdirSync(cwd), ['image.tar'], `${command} ${redirection}`);
  }
  assert.equal(shell(cwd, 'flatten image.tar -o - >/dev/null').code, 0);
});

test('an answer that nobody wants to hear is no error', (t) => {
  const cwd = workplace(t);
  const child = (args: string[]) =>
    spawnSync(process.execPath, [CLI, ...args], { cwd, stdio: 'ignore' }).status;
  assert.equal(child(['image.tar', '-o', 'flat.tar', '--json']), 0);
  assert.equal(child(['image.tar', '-o', 'disk.img', '--plan']), 0);
  assert.equal(child(['verify', 'flat.tar', 'image.tar', '--json']), 0);
  assert.equal(shell(cwd, 'flatten image.tar -o other.tar --json >&-').code, 0);
  assert.deepEqual(readdirSync(cwd).sort(), ['flat.tar', 'image.tar', 'other.tar']);
});

const HANG_UP = `
import os, pty, subprocess, sys, time
master, slave = pty.openpty()
streams = {name: slave if name in sys.argv[1] else subprocess.DEVNULL for name in ('stdin', 'stdout', 'stderr')}
child = subprocess.Popen(sys.argv[2:], **streams)
os.close(slave)
if 'late' in sys.argv[1]: os.read(master, 1)
else: time.sleep(float(sys.argv[1].split()[-1]) / 1000)
os.close(master)
sys.exit(child.wait() % 256)
`;

test('a terminal that hangs up ends nothing', { skip: needs('python3') }, (t) => {
  const cwd = workplace(t);
  for (const streams of [
    'stderr 0',
    'stderr 20',
    'stderr 50',
    'stdout stderr 40',
    'stdin stdout stderr 60',
    'stderr late',
  ]) {
    const args = ['-c', HANG_UP, streams, process.execPath, CLI, 'image.tar', '-o', 'rootfs.tar', '--force'];
    const { status } = spawnSync('python3', args, { cwd });
    assert.equal(status, 0, streams);
    assert.deepEqual(readdirSync(cwd), ['image.tar', 'rootfs.tar'], streams);
  }
});

/** A root filesystem that takes long enough to be interrupted. */
async function longInput(cwd: string): Promise<void> {
  const archive = pack();
  for (let i = 0; i < 30_000; i++) archive.entry({ name: `d${i % 100}/file-${i}`, mtime: new Date(0) }, 'x');
  archive.finalize();
  writeFileSync(join(cwd, 'long.tar'), await buffer(archive));
}

async function untilStaged(cwd: string, child: ChildProcess): Promise<void> {
  await until(() => readdirSync(cwd).some((name) => name.startsWith('.rootfs')), child);
}

for (const signal of ['SIGHUP', 'SIGQUIT', 'SIGXCPU', 'SIGUSR2', 'SIGALRM'] as const) {
  test(`${signal} in the middle: its exit code, JSON that says so, and nothing is left`, async (t) => {
    const cwd = scratch(t);
    await longInput(cwd);
    const child = start(['long.tar', '-o', 'rootfs/', '--json'], { cwd });
    const printed = text(child.stdout!);
    await untilStaged(cwd, child);
    child.kill(signal);
    const [code] = await once(child, 'exit');
    assert.equal(code, 128 + constants.signals[signal]);
    assert.equal(JSON.parse(await printed).error.code, 'INTERRUPTED');
    assert.deepEqual(readdirSync(cwd), ['long.tar']);
  });
}

test('a fault of the program itself leaves nothing half-made either', async (t) => {
  const [cwd, elsewhere] = [scratch(t), scratch(t)];
  await longInput(cwd);
  const fault = join(elsewhere, 'fault.cjs');
  const watched = JSON.stringify(cwd);
  writeFileSync(
    fault,
    `const { readdirSync } = require('node:fs');
    if (require('node:worker_threads').isMainThread) setInterval(() => {
      if (readdirSync(${watched}).length > 1) throw new Error('out of the blue');
    }, 1).unref();`,
  );
  const env = { NODE_OPTIONS: `--require ${fault}` };
  const child = start(['long.tar', '-o', 'rootfs/'], { cwd, env });
  const printed = text(child.stderr!);
  const [code] = await once(child, 'exit');
  assert.equal(code, 1);
  assert.match(await printed, /this is a bug in flatten: Error: out of the blue/);
  assert.deepEqual(readdirSync(cwd), ['long.tar']);
});

test('asked twice it leaves at once, and nothing is left all the same', async (t) => {
  const cwd = scratch(t);
  await longInput(cwd);
  const child = start(['long.tar', '-o', 'rootfs/'], { cwd });
  await untilStaged(cwd, child);
  child.kill('SIGTERM');
  child.kill('SIGINT');
  await once(child, 'exit');
  assert.deepEqual(readdirSync(cwd), ['long.tar']);
});

test('a limit on the size of files is an error in words', (t) => {
  const cwd = scratch(t);
  execFileSync('truncate', ['-s', '3M', 'big'], { cwd });
  execFileSync('tar', ['cf', 'image.tar', 'big'], { cwd });
  const { code, stderr } = shell(cwd, 'ulimit -f 1000; flatten image.tar -o rootfs.tar.gz --max-size 1G');
  assert.equal(code, 0, stderr); // what it writes is small
  const random = randomBytes(3 << 20);
  writeFileSync(join(cwd, 'big'), random);
  execFileSync('tar', ['cf', 'image.tar', 'big'], { cwd });
  // The programs that make a disk image leave the signal that comes with it as it was.
  for (const output of ['flat.tar', 'flat/', 'flat.img', 'oci:flat', 'docker-archive:flat.tar']) {
    const refused = shell(cwd, `ulimit -f 1000; flatten image.tar -o ${output} --no-verify`);
    assert.equal(refused.code, 1, `${output}: ${refused.stderr}`);
    assert.match(refused.stderr, /EFBIG.*\n.*ulimit -f/, output);
  }
  assert.deepEqual(readdirSync(cwd).sort(), ['big', 'image.tar', 'rootfs.tar.gz']);
});

for (const args of [
  ['fifo', '-o', 'rootfs/'],
  ['import', 'fifo', '-o', 'image.tar'],
  ['verify', 'fifo', DEMO],
]) {
  test(
    `a fifo that nobody writes to: ${args.join(' ')} still ends by a signal`,
    { skip: needs('mkfifo') },
    async (t) => {
      const cwd = scratch(t);
      execFileSync('mkfifo', ['fifo'], { cwd });
      const child = start(args, { cwd });
      t.after(() => child.kill('SIGKILL'));
      await until(() => hasOpen(child, '/fifo'), child);
      child.kill('SIGTERM');
      assert.deepEqual(await once(child, 'exit'), [143, null]);
      assert.deepEqual(readdirSync(cwd), ['fifo']);
    },
  );
}

test(
  'a fifo is read as soon as somebody writes; mount does not wait for one',
  { skip: needs('mkfifo') },
  async (t) => {
    const cwd = workplace(t);
    execFileSync('mkfifo', ['fifo'], { cwd });
    const child = start(['fifo', '-o', 'rootfs/'], { cwd });
    t.after(() => child.kill('SIGKILL'));
    await until(() => hasOpen(child, '/fifo'), child);
    execFileSync('cp', ['image.tar', 'fifo'], { cwd, timeout: 20_000 });
    assert.deepEqual(await once(child, 'exit'), [0, null]);
    assert.match(
      run(['mount', 'fifo', '.'], { cwd }).stderr,
      /fifo: is no ext2, ext3, ext4, EROFS or squashfs image/,
    );
  },
);

test('few descriptors: it works, or says how to have more', { skip: needs('mke2fs', 'zstd') }, (t) => {
  const cwd = workplace(t);
  let worked = 0;
  for (const limit of [20, 24, 32, 48, 64, 96]) {
    for (const output of ['a.tar', 'b.tar.zst', 'c/', 'd.img', 'oci:e']) {
      const { code, stderr } = shell(cwd, `ulimit -n ${limit}; flatten image.tar -o ${output} -q`);
      if (code === 0) worked++;
      else
        assert.match(stderr, /^flatten: error: .*EMFILE.*\n {2}.*ulimit -n 4096`\n$/, `${limit} ${output}`);
      execFileSync('rm', ['-rf', 'a.tar', 'b.tar.zst', 'c', 'd.img', 'e'], { cwd });
      assert.deepEqual(readdirSync(cwd), ['image.tar'], `${limit} ${output}`);
    }
  }
  assert.ok(worked > 0);
});

test('a working directory that is gone', { skip: needs('mke2fs') }, (t) => {
  const cwd = workplace(t);
  mkdirSync(join(cwd, 'gone'));
  const there = (line: string) =>
    shell(cwd, `cd gone; rmdir ../gone; ${line}; code=$?; mkdir ${cwd}/gone; exit $code`);
  assert.equal(there('flatten --version').code, 0);
  for (const output of ['a.tar', 'b/', 'c.img', 'docker-archive:d.tar']) {
    const path = output.replace(/^(docker-archive:)?/, `$1${cwd}/`);
    const { code, stderr } = there(`flatten ${cwd}/image.tar -o ${path}`);
    assert.equal(code, 0, stderr);
  }
  for (const line of [
    `flatten ${cwd}/image.tar -o a.tar`,
    'flatten unmount here',
    `flatten ${cwd}/image.tar -o b/`,
    `flatten ${cwd}/image.tar -o oci:${cwd}/e`, // threads, which compress, ask where they are
  ]) {
    const { code, stderr } = there(line);
    assert.equal(code, 1);
    assert.match(stderr, /^flatten: error: the working directory is not there any more\n {2}cd /);
  }
  assert.deepEqual(readdirSync(cwd).sort(), ['a.tar', 'b', 'c.img', 'd.tar', 'gone', 'image.tar']);
});

test('no home, and no directory for temporary files', (t) => {
  const cwd = workplace(t);
  execFileSync('gzip', ['-k', 'image.tar'], { cwd });
  for (const home of ['', '/nowhere', join(cwd, 'image.tar')]) {
    assert.equal(run(['image.tar', '-o', 'a.tar', '--force'], { cwd, env: { HOME: home } }).code, 0);
    const { code, stderr } = run(['image.tar.gz', '-o', 'b.tar'], { cwd, env: { TMPDIR: home || '/proc' } });
    assert.equal(code, 1);
    assert.match(stderr, /^flatten: error: .*temporary file in .*: .* \(E(NOENT|NOTDIR|ACCES)\)$/m);
  }
});

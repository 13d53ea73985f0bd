/** One image that dies, hangs or fills the disk harms no other one, and a batch that is ended goes on where it stopped. */
import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { needs } from '../support/needs.js';
import { run, start } from '../support/program.js';
import { scratch } from '../support/scratch.js';
import { archive } from '../support/tar.js';
import { until } from '../support/until.js';
import { caseArchives, listOf, outputsIn, reportAt, saveImage } from './images.js';

/** Some good images, and one that never ends: a pipe that nobody writes to. */
function workplace(t: TestContext): { cwd: string; names: string[]; pipe: string } {
  const cwd = scratch(t);
  const names = caseArchives(cwd, 3);
  const pipe = join(cwd, 'images/pipe.tar');
  execFileSync('mkfifo', [pipe]);
  writeFileSync(join(cwd, 'list'), `images/pipe.tar\n${listOf(names)}`);
  return { cwd, names, pipe };
}

const ARGS = ['batch', 'list', '-o', 'x/{name}.tar', '-j', '2', '--report', 'report'];

/** Starts a batch, and resolves when all good images are made and the pipe is waited for. */
async function waiting(t: TestContext, cwd: string, names: readonly string[], ...more: string[]) {
  const child = start([...ARGS, ...more], { cwd });
  t.after(() => child.kill('SIGKILL'));
  const stderr = text(child.stderr!);
  const isMade = (name: string) => {
    try {
      return /"done"/.test(readFileSync(join(cwd, `x/${name}.tar.flatten.json`), 'utf8'));
    } catch {
      return false;
    }
  };
  await until(() => names.every(isMade), child);
  return { child, stderr };
}

/** The processes that another one has started, and that live. */
function childrenOf({ pid }: ChildProcess): number[] {
  const path = `/proc/${pid}/task/${pid}/children`;
  return readFileSync(path, 'utf8').trim().split(' ').filter(Boolean).map(Number);
}

function isAlive(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) [ZX]/s.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return false;
  }
}

async function ended(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  return child.exitCode;
}

/** What there is besides the good outputs. */
function strays(cwd: string, names: readonly string[]): string[] {
  return outputsIn(join(cwd, 'x')).filter((name) => !names.some((good) => name === `${good}.tar`));
}

const skip = needs('mkfifo');

test('a process that is killed fails its image alone', { skip }, async (t) => {
  const { cwd, names } = workplace(t);
  const { child, stderr } = await waiting(t, cwd, names);
  for (const pid of childrenOf(child)) process.kill(pid, 'SIGKILL');
  assert.equal(await ended(child), 3);
  assert.match(await stderr, /images\/pipe\.tar: the process of this image was killed \(SIGKILL\)/);
  const failed = reportAt(join(cwd, 'report')).filter(({ state }) => state === 'failed');
  assert.deepEqual(
    failed.map(({ reference, code }) => [reference, code]),
    [['images/pipe.tar', 'DIED']],
  );
  assert.deepEqual(strays(cwd, names), []);
  for (const name of names) {
    run([`images/${name}.tar`, '-o', 'single.tar', '-q', '--force'], { cwd });
    assert.ok(readFileSync(join(cwd, 'single.tar')).equals(readFileSync(join(cwd, `x/${name}.tar`))), name);
  }
});

test('an image that hangs is given up after its time', { skip }, async (t) => {
  const { cwd, names } = workplace(t);
  const { child, stderr } = await waiting(t, cwd, names, '--timeout', '20');
  assert.equal(await ended(child), 3);
  assert.match(await stderr, /images\/pipe\.tar: was not done within 20 s\n.*--timeout 40/);
  assert.deepEqual(strays(cwd, names), []);
});

test('a process that does not hear any more is ended by force', { skip }, async (t) => {
  const { cwd, names } = workplace(t);
  const { child } = await waiting(t, cwd, names);
  const pids = childrenOf(child);
  for (const pid of pids) process.kill(pid, 'SIGSTOP');
  child.kill('SIGTERM');
  assert.equal(await ended(child), 143);
  assert.deepEqual(pids.filter(isAlive), []);
  assert.deepEqual(strays(cwd, names), []);
});

test(
  'Ctrl-C ends all processes and leaves nothing half-made; the next run does the rest',
  { skip },
  async (t) => {
    const { cwd, names, pipe } = workplace(t);
    const { child, stderr } = await waiting(t, cwd, names);
    const pids = childrenOf(child);
    assert.ok(pids.length > 0);
    child.kill('SIGINT');
    assert.equal(await ended(child), 130);
    assert.match(await stderr, /interrupted/);
    assert.deepEqual(pids.filter(isAlive), []);
    assert.deepEqual(strays(cwd, names), []);
    assert.ok(!readdirSync(join(cwd, 'x')).includes('pipe.tar.flatten.json'));

    rmSync(pipe);
    saveImage(pipe, [{ tar: archive([{ path: 'late', body: Buffer.from('late') }]) }]);
    const rest = run(ARGS, { cwd });
    assert.equal(rest.code, 0, rest.stderr);
    assert.match(rest.stderr, /^4 images: 1 done, 3 up to date/m);
  },
);

test(
  'a batch that is killed outright takes its processes with it, and goes on where it stopped',
  { skip },
  async (t) => {
    const { cwd, names, pipe } = workplace(t);
    const { child } = await waiting(t, cwd, names);
    const pids = childrenOf(child);
    child.kill('SIGKILL');
    await ended(child);
    await until(() => !pids.some(isAlive));
    rmSync(pipe);
    saveImage(pipe, [{ tar: archive([{ path: 'late', body: Buffer.from('late') }]) }]);
    const rest = run(ARGS, { cwd });
    assert.equal(rest.code, 0, rest.stderr);
    assert.match(rest.stderr, /^4 images: 1 done, 3 up to date/m);
    assert.deepEqual(strays(cwd, names), ['pipe.tar']);
  },
);

test(
  'a process that gets no more memory fails its image alone',
  { skip: skip || needs('prlimit') },
  async (t) => {
    const { cwd, names, pipe } = workplace(t);
    const { child } = await waiting(t, cwd, names);
    for (const pid of childrenOf(child)) {
      const status = readFileSync(`/proc/${pid}/status`, 'latin1');
      const size = Number(/^VmSize:\s+(\d+) kB/m.exec(status)![1]) * 1024;
      execFileSync('prlimit', ['--pid', String(pid), `--as=${size}`]);
    }
    const body = Buffer.alloc(1 << 20);
    const big = join(cwd, 'big.tar');
    saveImage(big, [
      { tar: archive(Array.from({ length: 40 }, (_, at) => ({ path: `${at}`, body }))), compression: 'gzip' },
    ]);
    execFileSync('sh', ['-c', 'cat big.tar > images/pipe.tar 2>/dev/null || true'], { cwd, timeout: 60_000 });
    assert.equal(await ended(child), 3);
    const report = reportAt(join(cwd, 'report'));
    assert.deepEqual(
      report.map(({ reference, state }) => [reference, state]).filter(([, state]) => state !== 'done'),
      [['images/pipe.tar', 'failed']],
    );
    assert.deepEqual(strays(cwd, names), [], pipe);
  },
);

test('a disk that is full fails what has no room there', { skip: needs('root', 'mount') }, (t) => {
  const cwd = scratch(t);
  const names = caseArchives(cwd, 2);
  const body = randomBytes(6 << 20);
  saveImage(join(cwd, 'images/large.tar'), [{ tar: archive([{ path: 'large', body }]) }]);
  writeFileSync(join(cwd, 'list'), `images/large.tar\n${listOf(names)}`);
  const disk = join(cwd, 'x');
  mkdirSync(disk);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', disk]);
  try {
    const { code, stderr } = run(ARGS, { cwd });
    assert.equal(code, 3, stderr);
    assert.match(stderr, /^3 images: 2 done, 0 up to date, 1 failed/m);
    assert.match(stderr, /images\/large\.tar: .*ENOSPC/);
    assert.deepEqual(strays(cwd, names), []);
  } finally {
    execFileSync('umount', [disk]);
  }
});

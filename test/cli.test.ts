import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buffer, text } from 'node:stream/consumers';
import { test } from 'node:test';
import { run, start } from './support/program.js';
import { PROJECT } from './support/project.js';
import { scratch } from './support/scratch.js';
import { until } from './support/until.js';

const DEMO = join(PROJECT, 'test/images/demo.tar');

test('--version prints the version of package.json', () => {
  const { version } = JSON.parse(readFileSync(join(PROJECT, 'package.json'), 'utf8'));
  const { code, stdout, stderr } = run(['--version']);
  assert.deepEqual([code, stdout.toString(), stderr], [0, `${version}\n`, '']);
});

test('--help begins with examples', () => {
  const { code, stdout } = run(['--help']);
  const help = stdout.toString();
  assert.equal(code, 0);
  assert.ok(help.indexOf('flatten image.tar -o rootfs/') < help.indexOf('Usage:'));
});

test('help is a command too', () => {
  assert.equal(run(['help']).stdout.toString(), run(['--help']).stdout.toString());
  assert.match(run(['help', 'verify']).stdout.toString(), /^Usage: flatten verify /);
});

test('no arguments, an unknown option, an unclear output: exit 2 and a way on', (t) => {
  const cwd = scratch(t);
  for (const args of [
    [],
    [DEMO],
    [DEMO, '-o', 'out/', '--frobnicate'],
    [DEMO, '-o', 'out/', '--format', 'zip'],
    [DEMO, '-o', 'out/', '--max-size', 'much'],
    [DEMO, '-o', 'out/', '--platform', 'linux'],
    [DEMO, '-o', '-', '--json'],
  ]) {
    const { code, stdout, stderr } = run(args, { cwd });
    assert.equal(code, 2, `${args.join(' ')}: ${stderr}`);
    if (!args.includes('--json')) assert.equal(stdout.toString(), '');
    assert.match(stderr, /^flatten: error: /);
  }
  assert.deepEqual(readdirSync(cwd), []);
});

test('a directory: the summary line comes last, and standard output stays empty', (t) => {
  const cwd = scratch(t);
  const { code, stdout, stderr } = run([DEMO, '-o', 'rootfs/'], { cwd });
  assert.equal(code, 0, stderr);
  assert.equal(stdout.toString(), '');
  assert.match(
    stderr.trimEnd().split('\n').at(-1)!,
    /^rootfs\/: \d+ entries, [\d.]+ k?B, \d+\.\d\d s, from flatten\/demo:latest \(4 layers\)$/,
  );
  assert.deepEqual(readdirSync(cwd), ['rootfs']);
  assert.deepEqual(readdirSync(join(cwd, 'rootfs')).sort(), ['bin', 'etc', 'srv', 'tmp', 'usr', 'var']);
});

test('--json prints what was written; --quiet prints nothing', (t) => {
  const cwd = scratch(t);
  const loud = run([DEMO, '-o', 'flat.tar', '--json'], { cwd });
  const result = JSON.parse(loud.stdout.toString());
  assert.equal(loud.stderr, '');
  assert.equal(result.output, 'flat.tar');
  assert.equal(result.format, 'tar');
  assert.equal(result.image.layers, 4);
  assert.equal(result.bytes, readFileSync(join(cwd, 'flat.tar')).length);
  assert.match(result.digest, /^sha256:[0-9a-f]{64}$/);
  const quiet = run([DEMO, '-o', 'again.tar', '--quiet'], { cwd });
  assert.deepEqual([quiet.code, quiet.stdout.toString(), quiet.stderr], [0, '', '']);
});

test('an image on standard input, a tar on standard output', (t) => {
  const cwd = scratch(t);
  assert.equal(run([DEMO, '-o', 'flat.tar'], { cwd }).code, 0);
  const piped = run(['-', '-o', '-'], { cwd, input: readFileSync(DEMO) });
  assert.equal(piped.code, 0, piped.stderr);
  assert.ok(piped.stdout.equals(readFileSync(join(cwd, 'flat.tar'))));
});

test('an existing output is refused, and replaced with --force', (t) => {
  const cwd = scratch(t);
  mkdirSync(join(cwd, 'rootfs/usr'), { recursive: true });
  writeFileSync(join(cwd, 'rootfs/mine'), 'mine');
  const refused = run([DEMO, '-o', 'rootfs/'], { cwd });
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /it holds 2 entries: mine, usr: add --force to delete/);
  assert.deepEqual(readdirSync(join(cwd, 'rootfs')).sort(), ['mine', 'usr']);
  assert.equal(run([DEMO, '-o', 'rootfs/', '--force'], { cwd }).code, 0);
  assert.ok(existsSync(join(cwd, 'rootfs/etc/os-release')));
  assert.ok(!existsSync(join(cwd, 'rootfs/mine')));
  assert.deepEqual(readdirSync(cwd), ['rootfs']);
});

test('a broken image: the error names layer and values, --json says it too, and nothing is left', (t) => {
  const cwd = scratch(t);
  const broken = readFileSync(DEMO);
  broken[broken.indexOf('hello from one')] = 0x48;
  writeFileSync(join(cwd, 'broken.tar'), broken);
  const { code, stdout, stderr } = run(['broken.tar', '-o', 'rootfs/', '--json'], { cwd });
  assert.equal(code, 1);
  const { error } = JSON.parse(stdout.toString());
  assert.equal(error.code, 'DIGEST_MISMATCH');
  assert.match(stderr, /layer 1 of 4 \(sha256:[0-9a-f]{12}….*sha256:[0-9a-f]{64}.*sha256:[0-9a-f]{64}/s);
  assert.deepEqual(readdirSync(cwd), ['broken.tar']);
  assert.equal(run(['broken.tar', '-o', 'rootfs/', '--no-verify'], { cwd }).code, 0);
});

test('colour on a terminal only: none here', (t) => {
  const { stderr } = run(['missing.tar', '-o', 'rootfs/'], { cwd: scratch(t) });
  assert.match(stderr, /^flatten: error: missing\.tar/);
});

let long: Promise<Buffer> | undefined;

/** An archive that takes long enough to be interrupted: one layer of many small files. */
async function longImage(cwd: string): Promise<string> {
  long ??= (async () => {
    const { pack } = await import('tar-stream');
    const archive = pack();
    for (let i = 0; i < 30_000; i++)
      archive.entry({ name: `d${i % 100}/file-${i}`, mtime: new Date(0) }, 'x');
    archive.finalize();
    return buffer(archive);
  })();
  writeFileSync(join(cwd, 'long.tar'), await long);
  return 'long.tar';
}

for (const [signal, expected] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  test(`${signal} in the middle: exit ${expected}, nothing is left`, async (t) => {
    const cwd = scratch(t);
    const child = start([await longImage(cwd), '-o', 'rootfs/'], { cwd });
    await until(() => readdirSync(cwd).some((name) => name.startsWith('.rootfs')), child);
    child.kill(signal);
    const [code] = await once(child, 'exit');
    assert.equal(code, expected);
    assert.deepEqual(readdirSync(cwd), ['long.tar']);
  });
}

test('a killed run leaves one sibling, and the next run takes it away', async (t) => {
  const cwd = scratch(t);
  const child = start([await longImage(cwd), '-o', 'rootfs/'], { cwd });
  await until(() => readdirSync(cwd).some((name) => name.startsWith('.rootfs')), child);
  child.kill('SIGKILL');
  await once(child, 'exit');
  assert.equal(readdirSync(cwd).filter((name) => name.startsWith('.rootfs.flatten')).length, 1);
  assert.equal(run([DEMO, '-o', 'rootfs/'], { cwd }).code, 0);
  assert.deepEqual(readdirSync(cwd).sort(), ['long.tar', 'rootfs']);
});

test('a reader that leaves early is no error to talk about', async (t) => {
  const cwd = scratch(t);
  const child = start([await longImage(cwd), '-o', '-'], { cwd });
  child.stdout!.once('data', () => child.stdout!.destroy());
  const stderr = await text(child.stderr!);
  assert.equal(stderr, '');
});

test('an output whose parent is a symlink goes where the symlink leads', (t) => {
  const cwd = scratch(t);
  mkdirSync(join(cwd, 'real'));
  symlinkSync('real', join(cwd, 'link'));
  assert.equal(run([DEMO, '-o', 'link/rootfs/'], { cwd }).code, 0);
  assert.deepEqual(readdirSync(join(cwd, 'real')), ['rootfs']);
  assert.deepEqual(readdirSync(cwd).sort(), ['link', 'real']);
});

/** Every option is taken or refused, every failure can be read by a program, and no address is taken for a path. */
import assert from 'node:assert/strict';
import { copyFileSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { run } from './support/program.js';
import { PROJECT } from './support/project.js';
import { scratch } from './support/scratch.js';

function workplace(t: TestContext): string {
  const cwd = scratch(t);
  copyFileSync(join(PROJECT, 'test/images/demo.tar'), join(cwd, 'image.tar'));
  return cwd;
}

/** Runs what must be a usage error and write nothing; gives what was said. */
function refused(cwd: string, args: readonly string[]): string {
  const before = readdirSync(cwd);
  const { code, stderr } = run(args, { cwd });
  assert.equal(code, 2, `${args.join(' ')}: ${stderr}`);
  assert.deepEqual(readdirSync(cwd), before, args.join(' '));
  return stderr;
}

test('options before a command: those of every command are taken, others refused', (t) => {
  const cwd = workplace(t);
  for (const before of [
    ['--platform', 'linux/arm64'],
    ['-o', 'x.tar'],
    ['--force'],
    ['--no-verify'],
    ['--exclude', 'etc'],
  ]) {
    for (const command of [
      ['import', 'image.tar', '-o', 'new.tar'],
      ['verify', 'image.tar', 'image.tar'],
      ['unmount', '/nowhere'],
    ])
      assert.match(refused(cwd, [...before, ...command]), /stands before .*, which does not see it/);
  }
  assert.equal(run(['--quiet', 'image.tar', '-o', 'rootfs.tar'], { cwd }).code, 0);
  assert.equal(run(['--quiet', 'import', 'rootfs.tar', '-o', 'new.tar'], { cwd }).stderr, '');
  const { stdout } = run(['--json', 'import', 'rootfs.tar', '-o', 'newer.tar'], { cwd });
  assert.equal(JSON.parse(stdout.toString()).output, 'newer.tar');
});

test('options that contradict each other are refused; the same said twice, and lists, are not', (t) => {
  const cwd = workplace(t);
  for (const options of [
    ['--verify', '--no-verify'],
    ['--no-verify', '--verify'],
    ['-o', 'b.tar'],
    ['--platform', 'linux/amd64', '--platform', 'linux/arm64'],
    ['--max-size', '1G', '--max-size', '2G'],
  ])
    assert.match(refused(cwd, ['image.tar', '-o', 'a.tar', ...options]), /contradict each other/);
  assert.match(refused(cwd, ['image.tar', '-o', 'oci:a', '--format', 'tar']), /oci:a is in the format oci/);
  const fine = ['-o', 'a.tar', '--exclude', 'etc', '--exclude', 'usr', '-q', '-q'];
  assert.equal(run(['image.tar', '-o', 'a.tar', ...fine], { cwd }).code, 0);
});

test('an option that this input or output has no use for is refused', (t) => {
  const cwd = workplace(t);
  assert.equal(run(['image.tar', '-o', 'rootfs.tar'], { cwd }).code, 0);
  for (const [args, message] of [
    [['image.tar', '-o', '-', '--force'], /--force: standard output is no file/],
    [['image.tar', '-o', 'docker-daemon:a:b', '--force'], /--force: docker-daemon:a:b is no file/],
    [['image.tar', '-o', 'a.img', '--plan', '--change', 'CMD a'], /--change: only for images/],
    [
      ['rootfs.tar', '-o', 'a.tar', '--platform', 'linux/arm64'],
      /rootfs\.tar is a root filesystem, which has no/,
    ],
    [['rootfs.tar', '-o', 'a.img', '--plan', '--platform', 'linux/arm64'], /which has no platform/],
    [['verify', 'rootfs.tar', 'rootfs.tar', '--platform', 'linux/arm64'], /which has no platform/],
  ] as const)
    assert.match(refused(cwd, [...args]), message);
  assert.equal(run(['rootfs.tar', '-o', 'oci:a', '--platform', 'linux/arm64'], { cwd }).code, 0);
});

test('sizes: one system of units for every option, in the help of every command that takes one', (t) => {
  const cwd = workplace(t);
  const planned = (...options: string[]) => {
    const { stdout, stderr } = run(['image.tar', '-o', 'x.img', '--plan', '--json', ...options], { cwd });
    assert.equal(stderr, '');
    return JSON.parse(stdout.toString());
  };
  for (const [size, bytes] of [
    ['1GB', 10 ** 9],
    ['1gb', 10 ** 9],
    ['1GiB', 2 ** 30],
    ['1G', 2 ** 30],
    ['1g', 2 ** 30],
    ['1.5GiB', 1.5 * 2 ** 30],
    ['1.001GB', 1_001_000_000],
    ['1073741824', 2 ** 30],
  ] as const)
    assert.equal(planned('--size', size).bytes, bytes, size);
  const larger = planned('--free', '64MiB').freeBlocks - planned('--free', '64MB').freeBlocks;
  assert.equal(larger, 2 ** 26 / 4096 - 64e6 / 4096);
  for (const option of ['--size', '--free', '--journal', '--max-size']) {
    for (const wrong of ['1XB', '1.5']) {
      const said = refused(cwd, ['image.tar', '-o', 'x.img', `${option}=${wrong}`]);
      assert.match(said, /1G or 1GiB \(1024\^3 bytes\) or 1GB \(1000\^3 bytes\)/, `${option} ${wrong}`);
    }
    if (option === '--free') continue;
    const said = refused(cwd, ['image.tar', '-o', 'x.img', option, '10%']);
    assert.match(said, /Only --free and --reserved take percent/, option);
  }
  for (const wrong of ['5%%', '5MB'])
    assert.match(refused(cwd, ['image.tar', '-o', 'x.img', `--reserved=${wrong}`]), /as 5%/, wrong);
  for (const command of [[], ['import'], ['verify']])
    assert.match(run([...command, '--help-all']).stdout.toString(), /GB and TB are powers of 1000 bytes/);
});

test('--json answers in JSON, whatever fails', (t) => {
  const cwd = workplace(t);
  for (const [args, code] of [
    [[], 'USAGE'],
    [['--frobnicate'], 'USAGE'],
    [['image.tar', 'b', 'c'], 'USAGE'],
    [['image.tar', '-o', 'x/', '--max-size', 'much'], 'USAGE'],
    [['image.tar', '-o', 's3://bucket/x.tar'], 'USAGE'],
    [['image.tar', '-o', '-'], 'USAGE'],
    [['missing.tar', '-o', 'x/'], 'NOT_FOUND'],
    [['image.tar', '-o', 'x.img', '--plan', '--size', '1'], undefined],
    [['import'], 'USAGE'],
    [['import', 'missing.tar', '-o', 'x.tar'], 'NOT_FOUND'],
    [['verify', 'image.tar'], 'USAGE'],
    [['verify', 'image.tar', 'missing.tar'], 'NOT_FOUND'],
    [['mount', 'image.tar'], 'USAGE'],
    [['mount', 'image.tar', '.'], 'USAGE'],
    [['unmount', '.'], undefined],
  ] as const) {
    for (const line of [
      [...args, '--json'],
      ['--json', ...args],
    ]) {
      const { code: exit, stdout } = run(line, { cwd });
      const answer = JSON.parse(stdout.toString());
      assert.equal(answer.version, 1, line.join(' '));
      assert.equal(typeof answer.error.message, 'string', line.join(' '));
      if (code !== undefined) assert.equal(answer.error.code, code, line.join(' '));
      assert.equal(exit, answer.error.code === 'USAGE' ? 2 : 1, line.join(' '));
    }
  }
  const done = JSON.parse(run(['image.tar', '-o', 'a.tar', '--json'], { cwd }).stdout.toString());
  const compared = JSON.parse(run(['verify', 'a.tar', 'image.tar', '--json'], { cwd }).stdout.toString());
  const planned = JSON.parse(
    run(['image.tar', '-o', 'a.img', '--plan', '--json'], { cwd }).stdout.toString(),
  );
  assert.deepEqual([done.version, compared.version, planned.version], [1, 1, 1]);
  // A value is no option.
  assert.equal(run(['none', '-o', 'docker-archive:b.tar', '-m', '--json'], { cwd }).stdout.length, 0);
});

test('an address, or a transport that is not written to, is no output', (t) => {
  const cwd = workplace(t);
  for (const output of [
    'docker:app:1.0',
    'registry://app:1.0',
    's3://bucket/rootfs.tar',
    'gs://bucket/rootfs/',
    'https://host/rootfs.tar',
    'FTP://host/disk.img',
    'file:///tmp/rootfs.tar',
    'x-y+z://rootfs.tar',
    'oci://layout',
    'docker-daemon://app:1.0',
    'OCI:layout',
    'docker-image:app.tar',
    'dir:layout/',
    'rootfs:out/',
    'containers-storage:app.tar',
    'ostree:app.tar',
  ]) {
    for (const more of [[], ['--format', 'tar'], ['--format', 'directory']])
      assert.match(refused(cwd, ['image.tar', '-o', output, ...more]), /\n {2}.*-o /, output);
    refused(cwd, ['import', 'image.tar', '-o', output]);
  }
  for (const output of ['./oci:layout/', './s3:rootfs.tar', 'at-10:20.tar']) {
    assert.equal(run(['image.tar', '-o', output], { cwd }).code, 0);
    assert.ok(existsSync(join(cwd, output)));
  }
});

test('an input that lies in no file: the error names the command that gets one', (t) => {
  const cwd = workplace(t);
  for (const input of ['s3://b/x.tar', 'foo://x', 'docker-image:app', 'ostree:app']) {
    for (const args of [
      [input, '-o', 'out/'],
      ['import', input, '-o', 'out.tar'],
      ['verify', 'image.tar', input],
    ]) {
      const { code, stderr } = run(args, { cwd });
      assert.equal(code, 1, args.join(' '));
      assert.match(stderr, /only files .*\n {2}.*skopeo copy docker:\/\//, args.join(' '));
    }
  }
  copyFileSync(join(cwd, 'image.tar'), join(cwd, 's3:image.tar'));
  assert.equal(run(['s3:image.tar', '-o', 'a.tar'], { cwd }).code, 0);
  assert.ok(readFileSync(join(cwd, 'a.tar')).length > 0);
});

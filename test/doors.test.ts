import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { flatten } from '../src/index.js';
import { needs } from './support/needs.js';
import { CLI, run } from './support/program.js';
import { PROJECT } from './support/project.js';
import { scratch } from './support/scratch.js';

function workplace(t: TestContext): string {
  const cwd = scratch(t);
  copyFileSync(join(PROJECT, 'test/images/demo.tar'), join(cwd, 'image.tar'));
  return cwd;
}

/** Runs what makes no sense: gives the error and its hint, and sees to it that nothing was written. */
function refused(cwd: string, args: readonly string[], options: { readonly input?: Buffer } = {}): string {
  const before = readdirSync(cwd);
  const { code, stderr } = run(args, { cwd, ...options });
  assert.equal(code, 2, `${args.join(' ')}: ${stderr}`);
  assert.deepEqual(readdirSync(cwd), before);
  return stderr;
}

test('a command line that lacks something gets the one that was meant', (t) => {
  const cwd = workplace(t);
  writeFileSync(join(cwd, "it's.tar"), '');
  for (const [args, hint] of [
    [['image.tar'], 'flatten image.tar -o rootfs/'],
    [["it's.tar"], "flatten 'it'\\''s.tar' -o rootfs/"],
    [['image.tar', 'tree/'], 'flatten image.tar -o tree/'],
    [['image.tar', 'b', '-o', 'c/'], 'flatten image.tar -o c/'],
    [['alpine'], 'for an image of a registry: flatten docker://alpine -o rootfs/'],
    [['alpine:3.20'], 'for an image of a registry: flatten docker://alpine:3.20 -o rootfs/'],
    [['imprt', 'image.tar', '-o', 'new.tar'], 'flatten import image.tar'],
    [['unmuont', 'x'], 'flatten unmount x'],
    [['verfy', 'a', 'b'], 'flatten verify a b'],
    [['inspekt', 'image.tar'], 'flatten inspect image.tar'],
    [[], 'flatten image.tar -o rootfs/'],
    [['import', 'rootfs.tar'], 'flatten import rootfs.tar -o docker-archive:image.tar:NAME:TAG'],
    [['import', 'rootfs.tar', 'new.tar'], 'flatten import rootfs.tar -o new.tar'],
    [['import', 'rootfs.tar', '-o', 'new.tar', 'more'], 'flatten import rootfs.tar -o new.tar'],
    [['import', 'rootfs.tar', '--plattform', 'linux/arm64'], 'did you mean --platform?'],
    [['import'], 'flatten import rootfs.tar -o docker-archive:image.tar:NAME:TAG'],
    [['verify', 'x.tar'], 'flatten verify x.tar image.tar'],
    [['verify', 'x.tar', 'image.tar', 'y'], 'flatten verify x.tar image.tar'],
    [['mount', 'x.img'], 'flatten mount x.img DIR'],
    [['completion'], 'flatten completion bash'],
    [['image.tar', '-o', 'x/', '--forse'], 'did you mean --force?'],
    [['image.tar', '-o', 'x.img', '--uiid=1'], 'did you mean --uuid?'],
    [['image.tar', '-o', 'x/', '--frobnicate'], 'all options: flatten --help-all'],
    [['verify', '--frobnicate', 'a', 'b'], 'all options: flatten verify --help-all'],
    [
      ['image.tar', '--platform'],
      '--platform <os/arch>: Read the image for this platform (default: that of this machine, with linux)',
    ],
  ] as const)
    assert.equal(refused(cwd, [...args]).split('\n')[1], `  ${hint}`, args.join(' '));
});

test('what a command does not understand is one error and one hint, in JSON too', (t) => {
  const cwd = workplace(t);
  for (const [args, message, hint] of [
    [['completion', 'ksh'], 'ksh: is not valid', 'Allowed choices are bash, fish, zsh.'],
    [
      ['image.tar', '-o', 'x/', '--mkdir', 'a:999'],
      '--mkdir a:999: is not valid',
      /^It is PATH or PATH:MODE/,
    ],
    [['image.tar', '-o'], '--output: needs a value', /^-o, --output <where>: Where to write/],
    [['mount'], 'DISK is missing', 'flatten mount disk.img DIR'],
    [['help', 'import', 'more'], 'more: is not expected here', 'flatten help import'],
  ] as const) {
    const [first, second, ...rest] = refused(cwd, args).split('\n');
    assert.equal(first, `flatten: error: ${message}`);
    assert.deepEqual(rest, ['']);
    const { error } = JSON.parse(run(['--json', ...args], { cwd }).stdout.toString());
    assert.equal(error.message, message);
    assert.equal(`  ${error.hint}`, second);
    if (typeof hint === 'string') assert.equal(error.hint, hint);
    else assert.match(error.hint, hint);
  }
});

test('standard input that nobody asked for is pointed to', (t) => {
  const cwd = workplace(t);
  const hint = (command: string) => {
    const line = `${command.replaceAll('flatten', `'${process.execPath}' '${CLI}'`)}; true`;
    return execFileSync('sh', ['-c', line], { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  };
  for (const command of ['flatten < image.tar 2>&1', 'cat image.tar | flatten 2>&1'])
    assert.match(hint(command), /- stands for standard input\n {2}flatten - -o rootfs\/\n$/);
});

test('a name without an ending is a directory; an ending that is not written says what to do', async (t) => {
  const cwd = workplace(t);
  const input = join(cwd, 'image.tar');
  for (const name of ['rootfs', '.hidden', 'two words']) {
    const { format } = await flatten({ input, output: join(cwd, name) });
    assert.equal(format, 'directory');
    assert.ok(statSync(join(cwd, name, 'etc')).isDirectory());
  }
  writeFileSync(join(cwd, 'file'), '');
  for (const [output, hint] of [
    ['d.qcow2', /flatten IMAGE -o d\.img && qemu-img convert -O qcow2 d\.img d\.qcow2$/],
    ['d.vhd', /qemu-img convert -O vpc d\.img d\.vhd$/],
    ['d.VMDK', /qemu-img convert -O vmdk d\.img d\.VMDK$/],
    ['d.raw', /--format ext4$/],
    ['d.tar.xz', /flatten IMAGE -o - \| xz > d\.tar\.xz$/],
    ['alpine-3.20', /for a directory type -o alpine-3\.20\//],
    ['/dev/stdout', /-o -$/],
    ['file', /for a directory type -o file\//],
  ] as const) {
    const said = refused(cwd, ['image.tar', '-o', output]);
    assert.match(said, /: the name does not say what to write\n/);
    assert.match(said.trimEnd(), hint);
  }
});

test('only what can be written from front to back goes to standard output', (t) => {
  const cwd = workplace(t);
  for (const format of ['ext4', 'ext2.gz', 'directory', 'oci'])
    assert.match(
      refused(cwd, ['image.tar', '-o', '-', '--format', format]),
      new RegExp(`--format ${format.replace('.', '\\.')}: cannot be written to standard output\\n.*-o \\./-`),
    );
});

test('what needs no image is refused before the image is opened', { skip: needs('root') }, async (t) => {
  const cwd = workplace(t);
  for (const output of [
    'tree/',
    'flat.tar',
    'disk.img',
    'oci:layout',
    'docker-archive:new.tar:a',
    'x.tar.sha256',
  ])
    assert.equal(
      run(['image.tar', '-o', output, ...(/sha/.test(output) ? ['--format', 'tar'] : [])], { cwd }).code,
      0,
    );
  mkdirSync(join(cwd, 'locked'));
  mkdirSync(join(cwd, 'letters/to-my-mother'), { recursive: true });
  // There is no such image: that it is missing would be said as soon as it is opened.
  const input = 'missing.tar';
  for (const [args, message] of [
    [['-o', 'tree/'], /tree\/: exists already/],
    [
      ['-o', 'letters'],
      /holds 1 entry: to-my-mother, and does not look like a root filesystem: name another/,
    ],
    [['-o', 'flat.tar'], /flat\.tar: exists already/],
    [['-o', 'disk.img'], /disk\.img: exists already/],
    [['-o', 'oci:layout'], /layout: exists already/],
    [['-o', 'docker-archive:new.tar'], /new\.tar: exists already/],
    [['-o', 'x.tar', '--sha256'], /x\.tar\.sha256: exists already/],
    [
      ['-o', 'nope/x.tar'],
      /^flatten: error: nope: the output's directory is not there\n {2}mkdir -p nope\n$/,
    ],
    [['-o', 'image.tar/x.tar'], /ENOTDIR/],
    [['-o', 'x.tar', '--size', '1G'], /--size: only for disk images/],
  ] as const)
    assert.match(run([input, ...args], { cwd }).stderr, message, args.join(' '));
});

/** What opens, makes, moves or removes files, and runs programs; not every processor has all. */
const CALLS = [
  'open',
  'openat',
  'openat2',
  'creat',
  'mkdir',
  'mkdirat',
  'rename',
  'renameat',
  'renameat2',
  'link',
  'linkat',
  'unlink',
  'unlinkat',
  'rmdir',
  'execve',
];

/** Runs the program; gives the calls by which it opened the image, or made, wrote or removed anything. */
function deeds(t: TestContext, cwd: string, words: readonly string[]): string[] {
  const trace = join(scratch(t), 'trace');
  const args = ['-f', '-qq', '-e', 'signal=none', '-e', `trace=?${CALLS.join(',?')}`, '-o', trace];
  const env = { ...process.env, NODE_V8_COVERAGE: '' }; // else it writes a report
  spawnSync('strace', [...args, process.execPath, CLI, ...words], { cwd, env });
  const lines = readFileSync(trace, 'utf8').trimEnd().split('\n').slice(1); // the first is its own start
  return lines.filter(
    (line) => /image\.tar|O_CREAT|O_TMPFILE/.test(line) || !/ open(at|at2)?\(|resumed>/.test(line),
  );
}

test('what is refused is refused before any work', { skip: needs('strace', 'mke2fs') }, (t) => {
  const cwd = workplace(t);
  const outputs = ['tree/', 'flat.tar', 'disk.img', 'oci:layout', 'docker-archive:new.tar:a'];
  for (const output of outputs) {
    const done = deeds(t, cwd, ['image.tar', '-o', output]);
    assert.ok(
      done.some((call) => /image\.tar/.test(call)),
      'what is not refused opens the image',
    );
    assert.ok(
      done.some((call) => /(rename|link)/.test(call)),
      'and makes the output',
    );
  }
  for (const args of [
    ...outputs.map((output) => ['-o', output]),
    ['-o', 'missing/flat.tar'],
    ['-o', 'new.tar', '--size', '1G'],
    ['-o', 'new.qcow2'],
    ['-o', 'image.tar', '--force'],
  ])
    assert.deepEqual(deeds(t, cwd, ['image.tar', ...args]), [], args.join(' '));
});

test(
  'a directory that takes no files is said before the image is opened',
  { skip: needs('root', 'setpriv') },
  (t) => {
    const cwd = workplace(t);
    chmodSync(cwd, 0o755);
    const args = ['--reuid', '65534', '--regid', '65534', '--clear-groups', process.execPath, CLI];
    const command = ['setpriv', ...args, join(cwd, 'missing.tar'), '-o', join(cwd, 'new/')];
    const said = execFileSync('sh', ['-c', '"$@" 2>&1; true', 'sh', ...command], {
      encoding: 'utf8',
      cwd: '/',
    });
    assert.match(said, /new\/: cannot be written: permission denied \(EACCES\)/);
  },
);

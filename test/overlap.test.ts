/** Outputs that are what is read, under whatever name. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { needs } from './support/needs.js';
import { run } from './support/program.js';
import { PROJECT } from './support/project.js';
import { scratch } from './support/scratch.js';

const DEMO = join(PROJECT, 'test/images/demo.tar');

function prepared(t: { after(done: () => void): void }): string {
  const cwd = scratch(t);
  copyFileSync(DEMO, join(cwd, 'image.tar'));
  linkSync(join(cwd, 'image.tar'), join(cwd, 'second.tar'));
  symlinkSync('image.tar', join(cwd, 'link.tar'));
  copyFileSync(DEMO, join(cwd, 'out.tar.sha256'));
  assert.equal(run(['image.tar', '-o', 'oci:layout:x', '-q'], { cwd }).code, 0);
  return cwd;
}

const contents = (cwd: string) =>
  execFileSync('sh', ['-c', 'find . -type f | sort | xargs sha256sum; find . -type l'], {
    cwd,
    encoding: 'utf8',
  });

for (const force of [[], ['--force']]) {
  for (const [input, output, ...more] of [
    ['image.tar', 'image.tar'],
    ['image.tar', 'second.tar'],
    ['image.tar', 'link.tar'],
    ['link.tar', 'docker-archive:image.tar:a:b'],
    ['docker-archive:image.tar', './image.tar'],
    ['out.tar.sha256', 'out.tar', '--sha256'],
    ['oci:layout:x', 'oci:layout:flat'],
    ['layout', 'layout/index.json', '--format=tar'],
    ['layout', 'layout/oci-layout', '--format=ext3'],
  ] as const) {
    test(`${input} -o ${output} ${[...more, ...force].join(' ')}: is refused, and nothing changes`, (t) => {
      const cwd = prepared(t);
      const before = contents(cwd);
      const { code, stderr } = run([input, '-o', output, ...more, ...force], { cwd });
      assert.equal(code, 2);
      assert.match(stderr, /is the input, or a part of it|would be replaced/);
      assert.equal(contents(cwd), before);
    });
  }
}

test('the file of a layer under another name, and a file that is standard input', (t) => {
  const cwd = prepared(t);
  const before = contents(cwd);
  const blobs = readdirSync(join(cwd, 'layout/blobs/sha256')).map((blob) =>
    join(cwd, 'layout/blobs/sha256', blob),
  );
  const layer = blobs.find((blob) => readFileSync(blob).readUInt16BE(0) === 0x1f8b)!;
  linkSync(layer, join(cwd, 'layer.tar'));
  const { code, stderr } = run(['layout', '-o', 'layer.tar', '--force'], { cwd });
  assert.equal(code, 2);
  assert.match(stderr, /layer.tar: is the input, or a part of it/);
  assert.ok(readFileSync(join(cwd, 'layer.tar')).equals(readFileSync(layer)));
  rmSync(join(cwd, 'layer.tar'));
  const script = `"$0" "$1" - -o image.tar --force < image.tar`;
  assert.throws(
    () =>
      execFileSync('sh', ['-c', script, process.execPath, join(PROJECT, 'dist/src/cli.js')], {
        cwd,
        stdio: 'pipe',
      }),
    /is the input, or a part of it/,
  );
  assert.equal(contents(cwd), before);
});

const CLI = join(PROJECT, 'dist/src/cli.js');

/** Each prepares `out/` beside `image.tar` and the layout, and runs with its input in it. */
for (const [what, script, said, ...wants] of [
  ['standard input', 'cp image.tar out/; "$@" - -o out/ --force < out/image.tar', /standard input is in it/],
  [
    'a symlink that the input is read by',
    'ln -s ../image.tar out/; "$@" out/image.tar -o out/ --force',
    /is in it/,
  ],
  [
    'a directory that is mounted elsewhere',
    'mkdir out/sub b; cp image.tar out/sub/; mount --bind out/sub b; "$@" b/image.tar -o out/ --force',
    /b\/image.tar is in it/,
    'root',
  ],
  [
    'the blobs of a layout',
    'mv layout/blobs out/; ln -s ../out/blobs layout/; "$@" layout -o out/ --force',
    /out\/: is the input, or a part of it|layout/,
  ],
] as const) {
  test(`a directory that has ${what} in it is not replaced`, { skip: needs('sh', ...wants) }, (t) => {
    const cwd = prepared(t);
    const whole = `mkdir -p out/etc; ${script}; code=$?; ls -R out >&2; exit $code`;
    const namespace = wants.length > 0 ? ['unshare', '-m'] : [];
    const [program = '', ...args] = [...namespace, 'sh', '-c', whole, 'sh', process.execPath, CLI];
    const ran = spawnSync(program, args, { cwd, encoding: 'utf8' });
    assert.notEqual(ran.status, 0, ran.stderr);
    assert.match(ran.stderr, said);
    assert.match(ran.stderr, /image\.tar\n|sha256/);
  });
}

test('what is in the place of OUTPUT.sha256 is told of before anything is written', (t) => {
  const cwd = prepared(t);
  mkdirSync(join(cwd, 'x.tar.sha256/kept'), { recursive: true });
  const { code, stderr } = run(['image.tar', '-o', 'x.tar', '--sha256', '--force'], { cwd });
  assert.equal(code, 1);
  assert.match(stderr, /x.tar.sha256: exists already/);
  assert.ok(!existsSync(join(cwd, 'x.tar')));
});

test('an output in the directory of a root filesystem is no part of it, and is written again', (t) => {
  const cwd = scratch(t);
  mkdirSync(join(cwd, 'etc'));
  writeFileSync(join(cwd, 'etc/motd'), 'hello');
  assert.equal(run(['.', '-o', 'rootfs.tar'], { cwd }).code, 0);
  assert.equal(run(['.', '-o', 'rootfs.tar', '--force'], { cwd }).code, 0);
  const names = execFileSync('tar', ['-tf', 'rootfs.tar'], { cwd, encoding: 'utf8' });
  assert.equal(names, './\netc/\netc/motd\n');
});

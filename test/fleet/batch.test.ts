/** `flatten batch` of archives: each output is what a single run makes, and a second run makes only what is not there. */
import assert from 'node:assert/strict';
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { flattenBatch } from '../../src/index.js';
import { needs } from '../support/needs.js';
import { run } from '../support/program.js';
import { PROJECT } from '../support/project.js';
import { scratch } from '../support/scratch.js';
import { caseArchives, listOf, outputsIn, reportAt } from './images.js';

function batch(cwd: string, ...args: string[]) {
  return run(['batch', ...args], { cwd });
}

function workplace(t: TestContext, count: number): { cwd: string; names: string[] } {
  const cwd = scratch(t);
  const names = caseArchives(cwd, count);
  writeFileSync(join(cwd, 'list'), listOf(names));
  return { cwd, names };
}

test('each output equals what a single run makes, byte for byte', { skip: needs('mke2fs') }, (t) => {
  const { cwd, names } = workplace(t, 6);
  const { code, stderr } = batch(
    cwd,
    'list',
    '-o',
    'disks/{name}.ext4',
    '-j',
    '2',
    '--label',
    'x',
    '--report',
    'report',
  );
  assert.equal(code, 0, stderr);
  assert.match(stderr, /^6 images: 6 done, 0 up to date, \d+\.\d\d s$/m);
  const report = reportAt(join(cwd, 'report'));
  assert.equal(report.length, 6);
  for (const name of names) {
    const single = run([`images/${name}.tar`, '-o', 'single.ext4', '--label', 'x', '--force', '--json'], {
      cwd,
    });
    const made = readFileSync(join(cwd, `disks/${name}.ext4`));
    assert.ok(readFileSync(join(cwd, 'single.ext4')).equals(made), name);
    const entry = report.find(({ output }) => output === `disks/${name}.ext4`)!;
    const { image, entries } = JSON.parse(single.stdout.toString());
    assert.deepEqual(
      [entry.state, entry.reference, entry.digest, entry.entries, entry.bytes],
      ['done', `images/${name}.tar`, image.digest, entries, made.length],
    );
    assert.match(String(entry.outputDigest), /^sha256:[0-9a-f]{64}$/);
  }
});

test('a second run makes what is missing, has changed, or is asked for otherwise', (t) => {
  const { cwd, names } = workplace(t, 5);
  const [missing, changed, replaced, touched, same] = names as [string, string, string, string, string];
  const args = ['list', '-o', 'out/{name}.tar', '--report', 'report'];
  assert.equal(batch(cwd, ...args).code, 0);
  const before = Object.fromEntries(names.map((name) => [name, readFileSync(join(cwd, `out/${name}.tar`))]));
  assert.match(batch(cwd, ...args).stderr, /^5 images: 0 done, 5 up to date/m);

  rmSync(join(cwd, `out/${missing}.tar`));
  appendFileSync(join(cwd, `out/${changed}.tar`), 'more');
  copyFileSync(join(PROJECT, 'test/images/demo.tar'), join(cwd, `images/${replaced}.tar`));
  utimesSync(join(cwd, `images/${touched}.tar`), 1, 1);
  const inode = statSync(join(cwd, `out/${touched}.tar`)).ino;
  const again = batch(cwd, ...args);
  assert.equal(again.code, 0, again.stderr);
  const states = Object.fromEntries(
    reportAt(join(cwd, 'report')).map(({ output, state }) => [output, state]),
  );
  assert.deepEqual(states, {
    [`out/${missing}.tar`]: 'done',
    [`out/${changed}.tar`]: 'done',
    [`out/${replaced}.tar`]: 'done',
    [`out/${touched}.tar`]: 'current',
    [`out/${same}.tar`]: 'current',
  });
  for (const name of [missing, changed])
    assert.ok(readFileSync(join(cwd, `out/${name}.tar`)).equals(before[name]!), name);
  assert.ok(!readFileSync(join(cwd, `out/${replaced}.tar`)).equals(before[replaced]!));
  assert.equal(
    statSync(join(cwd, `out/${touched}.tar`)).ino,
    inode,
    'the same image in another file is not made anew',
  );
  assert.match(batch(cwd, ...args, '--exclude', 'nothing*').stderr, /^5 images: 5 done, 0 up to date/m);
  assert.match(
    batch(cwd, ...args, '--exclude', 'nothing*', '--force', '-j', '1').stderr,
    /^5 images: 0 done, 5 up to date/m,
  );
});

test('an output that a batch has not made is not replaced without --force', (t) => {
  const { cwd, names } = workplace(t, 2);
  const [mine] = names as [string];
  const args = ['list', '-o', '{name}.tar'];
  writeFileSync(join(cwd, `${mine}.tar`), 'precious');
  const refused = batch(cwd, ...args);
  assert.equal(refused.code, 3);
  assert.match(refused.stderr, new RegExp(`${mine}\\.tar: exists already\\n.*--force`));
  assert.ok(refused.stderr.includes(`    flatten images/${mine}.tar -o ${mine}.tar\n`));
  assert.equal(readFileSync(join(cwd, `${mine}.tar`), 'utf8'), 'precious');
  assert.ok(!existsSync(join(cwd, `${mine}.tar.flatten.json`)));
  assert.match(batch(cwd, ...args, '--force').stderr, /^2 images: 1 done, 1 up to date/m);
});

test('what makes no sense is told before anything is begun, with exit code 2', (t) => {
  const { cwd, names } = workplace(t, 2);
  writeFileSync(join(cwd, 'twice'), listOf([...names, names[0]!]));
  for (const [args, message] of [
    [['twice', '-o', 'x/{name}.tar'], /twice:3: writes x\/.*\.tar, and so does twice:1/],
    [['list', '-o', 'x/same.tar'], /list:2: writes x\/same\.tar, and so does list:1/],
    [['none', '-o', 'x/{name}.tar'], /none: no such file or directory \(ENOENT\)/],
    [['list', '-o', 'x/{nam}.tar'], /\{nam\} is no placeholder/],
    [['list', '-o', 'x/{tag}.tar'], /list:1: has no \{tag\}/],
    [['list', '-o', 'x/{name}.tar', '-j', '0'], /--jobs 0: is not a number from 1/],
    [['list', '-o', 'x/{name}.tar', '--shard', '9/8'], /--shard 9\/8: the parts are numbered/],
    [['list', '-o', 'x/{name}.tar', '--timeout', 'soon'], /--timeout soon: is not valid/],
    [['list', '-o', 'x/{name}.tar', '--report', 'no/where'], /--report no\/where: no such file/],
    [['list', '-o', 'x/{name}.tar', '--fail-fast', '--keep-going'], /contradict each other/],
    [['images/', '-o', 'x/{name}.tar'], /images\/: /],
    [['list'], /the output is missing\n {2}flatten batch list -o 'disks\/\{repository\}\/\{tag\}\.ext4'/],
  ] as const) {
    const { code, stderr } = batch(cwd, ...args);
    assert.equal(code, 2, `${args.join(' ')}: ${stderr}`);
    assert.match(stderr, message);
  }
  const slip = batch(cwd, 'list', '-o', 'x/{name}.tar', '--report', 'list');
  assert.equal(slip.code, 2);
  assert.match(slip.stderr, /--report list: exists already, and is no report/);
  assert.equal(readFileSync(join(cwd, 'list'), 'utf8'), listOf(names));
  assert.deepEqual(readdirSync(cwd).sort(), ['images', 'list', 'twice']);
});

test('the list may come by standard input, and objects have options of their own', (t) => {
  const { cwd, names } = workplace(t, 1);
  const lines = [
    { image: `images/${names[0]}.tar`, output: 'deep/er/{name}.tar.gz' },
    { image: `images/${names[0]}.tar`, output: '{digest}/{platform}/{layers}.tar', exclude: ['*'] },
  ];
  const input = Buffer.from(lines.map((line) => JSON.stringify(line)).join('\n'));
  const { code, stdout, stderr } = run(['batch', '-', '-o', 'unused/{name}.tar', '--json'], { cwd, input });
  assert.equal(code, 0, stderr);
  const { done, images } = JSON.parse(stdout.toString());
  assert.equal(done, 2);
  const outputs = images.map(({ output }: { output: string }) => output).sort();
  assert.equal(outputs[0], `deep/er/${names[0]}.tar.gz`);
  assert.match(outputs[1], /^sha256-[0-9a-f]{64}\/linux-[\w-]+\/\d+\.tar$/);
  for (const output of outputs) assert.ok(existsSync(join(cwd, output)), output);
  assert.ok(!existsSync(join(cwd, 'unused')));
});

test('two that turn out to be one image are made once, where the digest is the name', (t) => {
  const { cwd, names } = workplace(t, 1);
  copyFileSync(join(cwd, `images/${names[0]}.tar`), join(cwd, 'copy.tar'));
  writeFileSync(join(cwd, 'list'), `images/${names[0]}.tar\ncopy.tar\n`);
  assert.match(batch(cwd, 'list', '-o', 'x/{digest}.tar').stderr, /^2 images: 1 done, 1 up to date/m);
  assert.equal(outputsIn(join(cwd, 'x')).length, 1);
});

test('parts of a list make all of it, each image once', (t) => {
  const { cwd, names } = workplace(t, 5);
  const done = [1, 2, 3].map((part) => {
    const { code, stderr } = batch(cwd, 'list', '-o', 'x/{name}.tar', '--shard', `${part}/3`);
    assert.equal(code, 0, stderr);
    return Number(/: (\d+) done/.exec(stderr)![1]);
  });
  assert.equal(
    done.reduce((sum, count) => sum + count),
    5,
  );
  assert.deepEqual(outputsIn(join(cwd, 'x')), names.map((name) => `${name}.tar`).sort());
});

test('--fail-fast begins nothing after an image that failed', (t) => {
  const { cwd, names } = workplace(t, 3);
  writeFileSync(join(cwd, 'list'), `none.tar\n${listOf(names)}`);
  for (const name of names) assert.ok(statSync(join(cwd, `images/${name}.tar`)).size > 0);
  writeFileSync(join(cwd, 'none.tar'), Buffer.alloc(1 << 20, 'x')); // the largest comes first, and is no image
  const { code, stderr } = batch(cwd, 'list', '-o', 'x/{name}.tar', '--fail-fast', '-j', '1');
  assert.equal(code, 3, stderr);
  assert.match(stderr, /^1 image: 0 done, 0 up to date, 1 failed/m);
  assert.ok(!existsSync(join(cwd, 'x')), 'the directory that was made for nothing is gone');
});

test('the library yields what came of each image, and stops when nobody reads on', async (t) => {
  const { cwd, names } = workplace(t, 3);
  const images = names.map((name) => join(cwd, `images/${name}.tar`));
  const states: string[] = [];
  for await (const { state, error } of flattenBatch([...images, { image: join(cwd, 'none') }], {
    output: join(cwd, 'x/{name}.tar'),
    jobs: 2,
  }))
    states.push(error?.code ?? state);
  assert.deepEqual(states.sort(), ['NOT_FOUND', 'done', 'done', 'done']);
  for await (const { state } of flattenBatch(images, { output: join(cwd, 'y/{name}.tar'), jobs: 1 })) {
    assert.equal(state, 'done');
    break;
  }
  assert.ok(
    outputsIn(join(cwd, 'y')).every((name) => name.endsWith('.tar')),
    'nothing half-made',
  );
  await assert.rejects(flattenBatch(['a', 'a'], { output: 'x.tar' }).next(), { code: 'USAGE' });
});

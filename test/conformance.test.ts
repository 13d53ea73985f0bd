/** scripts/conformance against tools that are right, wrong, slow, and loose. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { readMtree } from './conformance/mtree.js';
import { needs } from './support/needs.js';
import { PROJECT } from './support/project.js';
import { startRegistry } from './support/registry.js';
import { scratch } from './support/scratch.js';
import { until } from './support/until.js';

const PROGRAM = `${process.execPath} ${fileURLToPath(new URL('../src/cli.js', import.meta.url))}`;
const SCRIPT = join(PROJECT, 'scripts/conformance');
const GOOD = ['--run', `${PROGRAM} {image} -q -o {rootfs}/`];
/** Layer after layer, as if whiteouts were files. */
const NAIVE = `tar -xf {image} && mkdir {rootfs} && for layer in */layer.tar; do tar -xpf $layer -C {rootfs}; done`;

/** The lines of the cases without their reasons. */
const verdicts = (tap: string) => [...tap.matchAll(/^(?:not )?ok \d+ - [^ :\n]+/gm)].map(([line]) => line);

function conformance(...args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(SCRIPT, args, { encoding: 'utf8' });
  return { status, stdout, stderr };
}

/** What a plain user cannot make. */
const IGNORED = process.getuid?.() === 0 ? [] : ['--ignore', 'owner,device,xattr'];

test('a tool that is right passes, in every form of the image', { skip: needs('getfattr') }, () => {
  const forms = ['--as', 'oci,oci-archive,docker-archive'];
  const { status, stdout, stderr } = conformance(
    ...GOOD,
    ...forms,
    ...IGNORED,
    '--only',
    '12-base/',
    '--strict',
  );
  assert.equal(status, 0, stdout + stderr);
  assert.equal(
    stdout,
    `TAP version 14
1..6
ok 1 - 12-base/opaque
ok 2 - 12-base/whiteout
ok 3 - 12-base/opaque as oci-archive
ok 4 - 12-base/whiteout as oci-archive
ok 5 - 12-base/opaque as docker-archive
ok 6 - 12-base/whiteout as docker-archive
# 6 passed, 0 failed
`,
  );
});

test(
  'tar alone does not: the case, the rule, and the first difference',
  { skip: needs('getfattr', 'tar') },
  (t) => {
    const directory = scratch(t);
    const [junit, json] = [join(directory, 'junit.xml'), join(directory, 'results.json')];
    const { status, stdout } = conformance(
      ...[
        '--run',
        NAIVE,
        '--as',
        'docker-archive',
        '--only',
        '08-whiteouts/file',
        '--only',
        '12-base/opaque',
      ],
      ...['--junit', junit, '--json', json, ...IGNORED],
    );
    assert.equal(status, 1, stdout);
    assert.match(
      stdout,
      /^not ok 2 - 12-base\/opaque as docker-archive: rule 12: \.wh\.\.wh\.\.opq: is there, and should not be$/m,
    );
    const { failed, results } = JSON.parse(readFileSync(json, 'utf8'));
    assert.equal(failed, 2);
    assert.deepEqual(
      { ...results[1], seconds: 0 },
      {
        case: '12-base/opaque',
        title: 'rule 12: so does an opaque marker',
        rules: [12],
        spec: {
          section: 'whiteouts',
          sentence: 'Once a whiteout is applied, the whiteout itself MUST also be hidden.',
        },
        reports: ['google/go-containerregistry#1623'],
        as: 'docker-archive',
        passed: false,
        failure: '.wh..wh..opq: is there, and should not be',
        seconds: 0,
      },
    );
    assert.match(
      readFileSync(junit, 'utf8'),
      /<testcase classname="12-base" name="12-base\/opaque as docker-archive" time="[\d.]+"><failure message="rule 12: \.wh/,
    );
  },
);

test('a tar and an mtree count as much as a directory', { skip: needs('python3', 'bsdtar') }, () => {
  const only = ['--only', '12-base/whiteout', '--only', 'often-wrong/link-rewritten'];
  const tar = conformance('--run', `${PROGRAM} {image} -q -o - >{rootfs}`, '--output', 'tar', ...only);
  assert.equal(tar.status, 0, tar.stdout);
  const keywords = '!all,type,mode,uid,gid,size,time,link,sha256,inode,nlink';
  const list = `bsdtar -cf {rootfs} --format=mtree --options='${keywords}' @-`;
  const mtree = conformance('--run', `${PROGRAM} {image} -q -o - | ${list}`, '--output', 'mtree', ...only);
  assert.equal(mtree.status, 0, mtree.stdout);
  const empty = conformance('--run', `${list.replace('@-', '-T /dev/null')}`, '--output', 'mtree', ...only);
  assert.equal(empty.status, 1);
  assert.match(empty.stdout, /^not ok 1 - 12-base\/whiteout: rule 12: \.: is missing$/m);
});

test('layers that are wrong are to be refused', () => {
  const only = ['--only', '01-names/dotdot-last'];
  assert.equal(conformance('--run', 'false {rootfs}', ...only).status, 0);
  const taken = conformance('--run', 'mkdir {rootfs}', ...only);
  assert.equal(taken.status, 1);
  assert.match(taken.stdout, /^not ok 1 - .*: rule 1: the command takes the layers, which are wrong$/m);
});

test('a tool that writes outside fails, whatever it says', () => {
  const only = ['--only', '01-names/dotdot-first'];
  const beside = conformance('--run', 'echo >$(dirname {rootfs})/evil; false', ...only);
  assert.equal(beside.status, 1);
  assert.match(beside.stdout, /^not ok 1 - .*: rule 1: outside of the root: \.\.\/evil$/m);
  const around = conformance('--run', 'echo >$(dirname {bundle})/other; false', ...only);
  assert.match(around.stdout, /outside of the root: \.\.\/\.\.\/other$/m);
  const removed = conformance('--run', 'rm {bundle}/a; false', '--only', '01-names/dotdot-marker');
  assert.match(removed.stdout, /outside of the root: a, removed$/m);
  // What the case's symlink leads to on this machine.
  const led = conformance(
    '--run',
    'mkdir {rootfs}; echo >/tmp/passwd',
    '--only',
    '04-symlink-parents/lower-escape',
  );
  assert.match(led.stdout, /outside of the root: \/tmp\/passwd$/m);
  assert.ok(!existsSync('/tmp/passwd'), 'it is taken away again');
});

test('what one run writes outside is not laid to another', () => {
  const line = 'mkdir {rootfs}; if [ -d {image} ]; then echo >/tmp/passwd; sleep 0.2; fi';
  const forms = ['--as', 'oci,oci-archive', '--jobs', '2'];
  const { stdout } = conformance('--run', line, ...forms, '--only', '04-symlink-parents/lower-escape');
  assert.match(stdout, /^not ok 1 - .*: outside of the root: \/tmp\/passwd$/m);
  assert.match(stdout, /^not ok 2 - .*: is missing$/m);
});

test('a tool that hangs is ended, with all that it started', async (t) => {
  const mark = join(scratch(t), 'pid');
  const { status, stdout } = conformance(
    ...[
      '--run',
      `sleep 600 & echo $! >${mark}; wait; : {rootfs}`,
      '--only',
      '12-base/opaque',
      '--timeout',
      '0.5',
    ],
  );
  assert.equal(status, 1);
  assert.match(stdout, /^not ok 1 - .*: the command did not end within 0\.5 s$/m);
  const pid = Number(readFileSync(mark, 'utf8'));
  await until(
    () => !existsSync(`/proc/${pid}`) || readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z '),
  );
});

test('an interrupted run leaves nothing', async (t) => {
  const TMPDIR = scratch(t);
  const run = spawn(SCRIPT, ['--run', 'sleep 600; : {rootfs}', '--only', '12-base/opaque'], {
    env: { ...process.env, TMPDIR },
    stdio: 'ignore',
  });
  const ended = once(run, 'exit');
  await until(() => readdirSync(TMPDIR).some((name) => existsSync(join(TMPDIR, name, '0', 'cwd'))));
  run.kill('SIGINT');
  assert.deepEqual(await ended, [130, null]);
  assert.deepEqual(readdirSync(TMPDIR), []);
});

test('what a tool leaves is tidied up by --after', (t) => {
  const mark = join(scratch(t), 'mark');
  const run = [
    '--run',
    `mkdir {rootfs}; echo {reference} >${mark}`,
    '--after',
    `mv ${mark} ${mark}-{reference}`,
  ];
  conformance(...run.map((word) => word.replace('-{reference}', '.after')), '--only', '12-base/opaque');
  assert.equal(readFileSync(`${mark}.after`, 'utf8'), 'layer-suite/12-base-opaque:latest\n');
});

test('images by way of a registry', { skip: needs('docker-registry', 'getfattr') }, async (t) => {
  const { host } = await startRegistry(t);
  const run = ['--run', `${PROGRAM} docker://{image} --insecure ${host} -q -o {rootfs}/`, '--registry', host];
  const { status, stdout, stderr } = conformance(...run, ...IGNORED, '--only', '08-whiteouts/tree');
  assert.equal(status, 0, stdout + stderr);
});

test(
  'the export is the same each time, and its script in Python agrees',
  { skip: needs('python3', 'getfattr', 'tar') },
  (t) => {
    const directory = scratch(t);
    const only = ['--only', '12-base/', '--only', '01-names/dotdot-first', '--only', 'often-wrong/extremes'];
    const [one, two] = ['one', 'two'].map((name) => join(directory, name)) as [string, string];
    for (const place of [one, two]) assert.equal(conformance('--export', place, ...only).status, 0);
    assert.equal(spawnSync('diff', ['-r', one, two], { encoding: 'utf8' }).stdout, '');
    assert.equal(conformance('--export', one).status, 2, 'it replaces nothing');
    const script = readFileSync(join(one, 'run.py'), 'utf8');
    assert.ok(script.trimEnd().split('\n').length <= 60);
    assert.ok(readFileSync(join(one, 'README.md'), 'utf8').includes(`\`\`\`python\n${script}\`\`\`\n`));
    const loose = 'echo >$(dirname {rootfs})/evil; false';
    for (const line of [
      `${PROGRAM} {image} -q -o {rootfs}/`,
      NAIVE,
      'mkdir {rootfs}',
      'false {rootfs}',
      loose,
    ]) {
      const forms = ['--as', line === NAIVE ? 'docker-archive' : 'oci'];
      const python = spawnSync('python3', [join(one, 'run.py'), line, ...forms, ...IGNORED], {
        encoding: 'utf8',
      });
      const ours = conformance('--run', line, ...forms, ...only, ...IGNORED);
      assert.equal(python.status, ours.status, python.stdout + python.stderr);
      assert.deepEqual(verdicts(python.stdout), verdicts(ours.stdout), line);
    }
  },
);

test('the exported index says what each case rests on, and the trees come in two forms', (t) => {
  const directory = join(scratch(t), 'suite');
  conformance('--export', directory, '--only', '12-base/opaque', '--only', 'often-wrong/link-rewritten');
  const { format, cases } = JSON.parse(readFileSync(join(directory, 'index.json'), 'utf8'));
  assert.equal(format, 1);
  assert.deepEqual(cases[0], {
    name: '12-base/opaque',
    title: 'rule 12: so does an opaque marker',
    rules: [12],
    specification: {
      section: 'whiteouts',
      sentence: 'Once a whiteout is applied, the whiteout itself MUST also be hidden.',
    },
    reports: ['google/go-containerregistry#1623'],
    images: {
      oci: 'cases/12-base/opaque/oci',
      'oci-archive': 'cases/12-base/opaque/oci.tar',
      'docker-archive': 'cases/12-base/opaque/docker.tar',
    },
    reference: 'layer-suite/12-base-opaque:latest',
    expect: 'tree',
    tree: 'cases/12-base/opaque/tree.json',
    mtree: 'cases/12-base/opaque/tree.mtree',
    outside: [],
  });
  for (const { tree, mtree } of cases) {
    const entries: { path: string; content?: string }[] = JSON.parse(
      readFileSync(join(directory, tree), 'utf8'),
    );
    const { rows } = readMtree(readFileSync(join(directory, mtree), 'latin1'));
    assert.deepEqual(
      rows.map(({ path, sha256 }) => [path, sha256]),
      entries.map(({ path, content }) => [path, content]),
    );
  }
});

test('command lines that cannot be meant are refused with 2', () => {
  const wrong: [string[], RegExp][] = [
    [[], /--run is missing/],
    [['--run', 'tool {image}'], /it has no \{rootfs\}/],
    [['--run', 'tool {rootfs}', '--as', 'dir'], /--as dir: it is one of oci, oci-archive, docker-archive/],
    [
      ['--run', 'tool {rootfs}', '--ignore', 'owner,colour'],
      /--ignore owner,colour: it is one of mode, owner/,
    ],
    [['--run', 'tool {rootfs}', '--only', 'nothing-like-it'], /no case has this in its name/],
    [['--run', 'tool {rootfs}', '--timeout', 'soon'], /--timeout soon: not a number above 0/],
    [['--rum', 'tool'], /--rum/],
  ];
  for (const [args, message] of wrong) {
    const { status, stderr, stdout } = conformance(...args);
    assert.equal(status, 2, stdout);
    assert.match(stderr, message);
  }
});

test('it lists the cases that any tool can be asked', () => {
  const { stdout } = conformance('--list');
  const names = stdout.trimEnd().split('\n');
  assert.ok(names.length > 200 && names.includes('08-whiteouts/file'));
  assert.ok(!names.includes('04-symlink-parents/lower-kept'), 'it needs an option of ours');
});

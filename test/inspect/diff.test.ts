import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  chownSync,
  closeSync,
  ftruncateSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { diffTrees, openImage } from '../../src/index.js';
import { needs } from '../support/needs.js';
import { ownPodman } from '../support/podman.js';
import { run } from '../support/program.js';
import { PROJECT } from '../support/project.js';
import { scratch } from '../support/scratch.js';

const DEMO = join(PROJECT, 'test/images/demo.tar');

interface Line {
  readonly change: string;
  readonly path: string;
  readonly from?: string;
  readonly differs?: readonly string[];
  readonly furtherName?: boolean;
  readonly diff?: string;
  readonly [more: string]: unknown;
}

/** Every line that `--json` prints but the first and the last, which come apart. */
function diffed(cwd: string, before: string, after: string, ...options: string[]) {
  const { code, stdout, stderr } = run(['diff', before, after, '--json', ...options], { cwd });
  assert.equal(stderr, '');
  const lines = stdout
    .toString()
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  const end = lines.pop();
  const head = lines.shift();
  assert.equal(head.version, 1);
  assert.equal(end.equal, lines.length === 0);
  assert.equal(code, end.equal ? 0 : 1);
  return { head, end, lines: lines as Line[] };
}

/** Numbers that look random and are the same each time. */
function numbers(seed: number): (below: number) => number {
  let state = seed * 2654435761;
  return (below) => {
    state = (Math.imul(state ^ (state >>> 15), 2246822519) + 374761393) >>> 0;
    return (state >>> 8) % below;
  };
}

/** A directory, and a copy of it in which much has happened. */
function twoTrees(cwd: string, seed: number): void {
  const next = numbers(seed);
  const path = (at: number) => join(cwd, 'a', `d${at % 5}`, `f${at}`);
  for (let at = 0; at < 5; at++) mkdirSync(join(cwd, 'a', `d${at}`), { recursive: true });
  for (let at = 0; at < 60; at++) {
    const kind = next(6);
    if (kind === 0) symlinkSync(`f${next(60)}`, path(at));
    else if (kind === 1) mkdirSync(path(at));
    else if (kind === 2) execFileSync('mknod', [path(at), 'c', '5', String(next(3))]);
    else writeFileSync(path(at), `${'x'.repeat(next(9))}${next(4)}\n`);
    if (kind !== 0) chmodSync(path(at), [0o644, 0o755, 0o4755][next(3)]!);
    lutimesSync(path(at), 1000 + next(3), 1000 + next(3));
  }
  execFileSync('cp', ['-a', 'a', 'b'], { cwd });
  for (let at = 0; at < 60; at++) {
    const there = join(cwd, 'b', `d${at % 5}`, `f${at}`);
    const act = next(12);
    if (act === 0) rmSync(there, { recursive: true });
    if (act === 1) {
      rmSync(there, { recursive: true });
      writeFileSync(there, 'anew\n');
    }
    if (act === 2) {
      rmSync(there, { recursive: true });
      symlinkSync('elsewhere', there);
    }
    if (act === 3) writeFileSync(`${there}.new`, 'new\n');
    if (act === 4) execFileSync('chown', ['-h', '7:8', there]);
    if (act === 5) lutimesSync(there, 5000, 5000);
    if (act === 6) spawnSync('setfattr', ['-n', 'user.note', '-v', String(next(2)), there]);
    if (act === 7)
      execFileSync('find', [there, '-maxdepth', '0', '!', '-type', 'l', '-exec', 'chmod', '0700', '{}', ';']);
    if (act === 8)
      execFileSync('find', [
        there,
        '-maxdepth',
        '0',
        '-type',
        'f',
        '-exec',
        'sh',
        '-c',
        'printf y >> "$0"; touch -d @9000 "$0"',
        '{}',
        ';',
      ]);
    if (act === 9) {
      rmSync(there, { recursive: true });
      mkdirSync(there);
      writeFileSync(join(there, 'below'), '');
    }
  }
}

/** What `rsync -i` says that `before` lacks to be as `after`: of each path its letters, `+` for what is new, `-` for what goes. */
function byRsync(cwd: string, before: string, after: string): Map<string, string> {
  // Without a window of -1 it compares seconds only.
  const options = ['-naicX', '--delete', '--no-i-r', '--modify-window=-1', '--out-format=%i %n'];
  const text = execFileSync('rsync', [...options, `${after}/`, `${before}/`], { cwd, encoding: 'utf8' });
  const found = new Map<string, string>();
  for (const line of text.trimEnd().split('\n')) {
    const [, item, name] = /^(\*deleting|\S{11}) +(.*)$/.exec(line)!;
    const path = name!.replace(/\/$/, '');
    if (item === '*deleting') found.set(path, found.has(path) ? 'T' : '-');
    else if (item!.endsWith('+++++++++')) found.set(path, found.get(path) === '-' ? 'T' : '+');
    else found.set(path, letters(item!.slice(2), item![1]!));
  }
  return found;
}

/** `cstpoguax` of rsync in the letters that both know. */
function letters(flags: string, type: string): string {
  const content = /[cs]/.test(flags) && type !== 'd' ? 'c' : '';
  const rest = [/p/.test(flags) ? 'm' : '', /[og]/.test(flags) ? 'o' : '', /t/i.test(flags) ? 't' : ''];
  return [content, ...rest, /x/.test(flags) ? 'x' : ''].join('');
}

const LETTERS: Record<string, string> = {
  content: 'c',
  target: 'c',
  device: 'c',
  mode: 'm',
  owner: 'o',
  mtime: 't',
  xattr: 'x',
};

/** The same of our lines. rsync compares no times of directories that get or lose names, and gives none for what it makes anew. */
function ours(lines: readonly Line[]): Map<string, string> {
  const found = new Map<string, string>();
  for (const { change, path, from, differs = [] } of lines) {
    if (change === 'renamed') found.set(from!, '-');
    if (change === 'renamed' || change === 'added') found.set(path, '+');
    else if (change === 'removed') found.set(path, '-');
    else if (differs.includes('type')) found.set(path, 'T');
    else found.set(path, differs.map((aspect) => LETTERS[aspect] ?? '').join(''));
  }
  return found;
}

for (let seed = 1; seed <= 8; seed++) {
  test(
    `rsync and diff see what we see, trees ${seed}`,
    { skip: needs('root', 'rsync', 'setfattr', 'mknod', 'diff') },
    (t) => {
      const cwd = scratch(t);
      twoTrees(cwd, seed);
      const { lines } = diffed(cwd, 'a', 'b');
      const mine = ours(lines);
      const theirs = byRsync(cwd, 'a', 'b');
      const text = (found: ReadonlyMap<string, string>) =>
        [...found].map(([path, what]) => `${path} ${what}`).sort();
      // A name that takes the place of another type is new to rsync, and it says nothing of what it removes for it.
      const comparable = (found: ReadonlyMap<string, string>, other: ReadonlyMap<string, string>) =>
        new Map(
          [...found].flatMap(([path, what]) => {
            const isType = mine.get(path) === 'T';
            const isBelowType = [...mine].some(
              ([above, kind]) => kind === 'T' && path.startsWith(`${above}/`),
            );
            if (isBelowType && !other.has(path)) return [];
            return [[path || '.', isType ? 'T' : what] as const];
          }),
        );
      assert.deepEqual(text(comparable(mine, theirs)), text(comparable(theirs, mine)));

      const said = spawnSync('diff', ['-r', '--no-dereference', '-q', 'a', 'b'], {
        cwd,
        encoding: 'utf8',
      }).stdout;
      const named = (pattern: RegExp) =>
        [...said.matchAll(pattern)].map((match) => match.slice(1).join('/')).sort();
      const paths = (wanted: (line: Line) => boolean) =>
        lines
          .filter(wanted)
          .map(({ path }) => path)
          .sort();
      assert.deepEqual(
        named(/^Files a\/(\S+) and \S+ differ$/gm),
        paths(({ differs }) => differs?.includes('content') ?? false),
      );
      assert.deepEqual(
        named(/^Symbolic links a\/(\S+) and \S+ differ$/gm),
        paths(({ differs }) => differs?.includes('target') ?? false),
      );
      const types = paths(({ differs }) => differs?.includes('type') ?? false);
      assert.deepEqual(
        named(/^File a\/(\S+) is a .* while file \S+ is a .*$/gm).filter((path) => types.includes(path)),
        types,
      );
    },
  );
}

test('hard links are compared as groups of names', { skip: needs('root') }, (t) => {
  const cwd = scratch(t);
  for (const side of ['a', 'b']) {
    mkdirSync(join(cwd, side));
    for (const name of ['1', '3']) writeFileSync(join(cwd, side, name), 'x');
  }
  const link = (side: string, from: string, to: string) =>
    linkSync(join(cwd, side, from), join(cwd, side, to));
  for (const [from, to] of [
    ['1', '2'],
    ['3', '4'],
  ] as const)
    link('a', from, to);
  for (const [from, to] of [
    ['1', '4'],
    ['3', '2'],
  ] as const)
    link('b', from, to);
  const links = () =>
    diffed(cwd, 'a', 'b', '--ignore', 'time').lines.map(({ path, change, differs = [] }) =>
      [path, change, ...differs].join(' '),
    );
  assert.deepEqual(links(), ['1 changed links', '2 changed links', '3 changed links', '4 changed links']);
  assert.deepEqual(diffed(cwd, 'a', 'b', '--ignore', 'time,links').lines, []);
  // What is added to a group is told of those that were there.
  rmSync(join(cwd, 'b/2'));
  rmSync(join(cwd, 'b/4'));
  link('b', '1', '2');
  link('b', '3', '4');
  assert.deepEqual(links(), []);
  link('b', '3', '5');
  assert.deepEqual(links(), ['3 changed links', '4 changed links', '5 added']);
  // A change of an inode is told under each of its names, and marked where it was told before.
  chmodSync(join(cwd, 'b/1'), 0o600);
  const changed = diffed(cwd, 'a', 'b', '--ignore', 'time,links').lines;
  assert.deepEqual(
    changed.map(({ path, furtherName = false }) => [path, furtherName]),
    [
      ['1', false],
      ['2', true],
      ['5', false],
    ],
  );
});

test(
  'a file that was renamed is found by its content, by its name first, and with what else changed',
  { skip: needs('root') },
  (t) => {
    const cwd = scratch(t);
    mkdirSync(join(cwd, 'a/old/deep'), { recursive: true });
    for (const name of ['one', 'two', 'deep/three']) writeFileSync(join(cwd, 'a/old', name), 'the same\n');
    writeFileSync(join(cwd, 'a/old/empty'), '');
    const sparse = openSync(join(cwd, 'a/old/sparse'), 'w');
    ftruncateSync(sparse, 2 ** 24);
    closeSync(sparse);
    execFileSync('cp', ['-a', '--sparse=always', 'a', 'b'], { cwd });
    renameSync(join(cwd, 'b/old'), join(cwd, 'b/new'));
    renameSync(join(cwd, 'b/new/one'), join(cwd, 'b/new/three'));
    chmodSync(join(cwd, 'b/new/two'), 0o600);
    const { lines } = diffed(cwd, 'a', 'b', '--ignore', 'time');
    const renamed = lines.filter(({ change }) => change === 'renamed');
    assert.deepEqual(
      renamed.map(({ from, path, differs }) => `${from} ${path} ${differs}`),
      [
        'old/deep/three new/deep/three ',
        'old/sparse new/sparse ',
        'old/one new/three ',
        'old/two new/two mode',
      ],
    );
    // Empty files are all alike, and no rename is made of them.
    assert.ok(lines.some(({ change, path }) => change === 'added' && path === 'new/empty'));
    const { stdout } = run(['diff', 'a', 'b', '--ignore', 'time', '--quiet'], { cwd });
    assert.match(stdout.toString(), /^R \.m\.\.\.\. {2}old\/two -> new\/two {2}mode 0644 -> 0600$/m);
  },
);

for (const output of [
  'disk.ext4',
  'disk.erofs',
  'flat.tar',
  'rootfs/',
  'oci:layout:x',
  'docker-archive:image.tar',
]) {
  test(
    `${output} has no difference from what it was made of, and one once something is left out`,
    { skip: needs('mke2fs', 'root') },
    (t) => {
      const cwd = scratch(t);
      for (const options of [[], ['--exclude', 'etc/passwd']]) {
        assert.equal(run([DEMO, '-o', output, '--force', '--quiet', ...options], { cwd }).code, 0);
        for (const pair of [
          [DEMO, output],
          [output, DEMO],
        ] as const) {
          const { lines } = diffed(cwd, ...pair, '--ignore', 'config');
          const change = pair[0] === DEMO ? 'removed' : 'added';
          assert.deepEqual(
            lines.map((line) => `${line.change} ${line.path}`),
            options.length === 0 ? [] : [`${change} etc/passwd`],
          );
          if (options.length > 0)
            assert.deepEqual(diffed(cwd, ...pair, '--ignore', 'config', ...options).lines, []);
        }
      }
    },
  );
}

test(
  'what differs between two builds of the same Dockerfile?',
  { skip: needs('podman', 'root') },
  async (t) => {
    const cwd = scratch(t);
    const { podman } = await ownPodman(t);
    writeFileSync(join(cwd, 'Dockerfile'), 'FROM scratch\nCOPY base /base\nCOPY app /app\nENV BUILD=1\n');
    for (const directory of ['base', 'app']) mkdirSync(join(cwd, directory));
    writeFileSync(join(cwd, 'base/library'), 'lib'.repeat(1000));
    for (const [tag, stamp] of [
      ['1', 'built on Monday\n'],
      ['2', 'built on Tuesday\n'],
    ] as const) {
      writeFileSync(join(cwd, 'app/stamp'), stamp);
      podman('build', '--quiet', '--layers', '-t', `localhost/app:${tag}`, cwd);
      podman('save', '--quiet', '-o', join(cwd, `${tag}.tar`), `localhost/app:${tag}`);
    }
    const { stdout, stderr, code } = run(['diff', '1.tar', '2.tar', '--ignore', 'time', '--content'], {
      cwd,
    });
    assert.equal(code, 1);
    const lines = stdout
      .toString()
      .split('\n')
      .filter((line) => !line.startsWith('C '));
    assert.deepEqual(lines, [
      'M c.....  app/stamp  16 B -> 17 B',
      '--- a/app/stamp',
      '+++ b/app/stamp',
      '@@ -1,1 +1,1 @@',
      '-built on Monday',
      '+built on Tuesday',
      '',
    ]);
    assert.match(stderr, /1 changed \(content 1\).*; the lowest layer is the same, of /);
  },
);

test('the patch of --content makes one file of the other', { skip: needs('patch', 'root') }, (t) => {
  const cwd = scratch(t);
  mkdirSync(join(cwd, 'a/etc'), { recursive: true });
  writeFileSync(join(cwd, 'a/etc/hosts'), Array.from({ length: 40 }, (_, line) => `line ${line}\n`).join(''));
  writeFileSync(join(cwd, 'a/etc/binary'), Buffer.from([0, 1, 2]));
  execFileSync('cp', ['-a', 'a', 'b'], { cwd });
  execFileSync('sed', ['-i', '-e', '3d', '-e', '30s/line/other/', '-e', '$a no end', 'b/etc/hosts'], { cwd });
  writeFileSync(join(cwd, 'b/etc/binary'), Buffer.from([0, 1, 3]));
  writeFileSync(join(cwd, 'b/etc/large'), '');
  writeFileSync(join(cwd, 'a/etc/large'), 'x'.repeat(2 ** 20 + 1));
  const { stdout } = run(['diff', 'a', 'b', '--content'], { cwd });
  assert.match(stdout.toString(), /^Binary files differ: a\/etc\/binary and b\/etc\/binary$/m);
  assert.match(
    stdout.toString(),
    /^More than 1 MiB, not compared by lines: a\/etc\/large and b\/etc\/large$/m,
  );
  execFileSync('patch', ['-p1', '-d', join(cwd, 'a')], { input: stdout });
  assert.deepEqual(
    diffed(cwd, 'a', 'b', '--ignore', 'time', '--include', 'etc/hosts').lines.map(({ path }) => path),
    [],
  );
});

test('names and text of an image do nothing to a terminal', { skip: needs('root', 'script') }, (t) => {
  const cwd = scratch(t);
  for (const [side, text] of [
    ['a', 'x'],
    ['b', 'y'],
  ] as const) {
    mkdirSync(join(cwd, side));
    writeFileSync(join(cwd, side, 'evil\x1b[2J'), `\x1b]0;${text}\x07\n`);
  }
  const plain = run(['diff', 'a', 'b', '--content', '--ignore', 'time'], { cwd }).stdout.toString();
  assert.match(plain, /^M c\.\.\.\.\. {2}evil\\x1b\[2J {2}/m);
  const command = `${process.execPath} ${join(PROJECT, 'dist/src/cli.js')} diff a b --content --ignore time --no-progress`;
  const seen = execFileSync('script', ['-qc', command, '/dev/null'], { cwd, encoding: 'utf8' });
  assert.ok(seen.includes('\\x1b]0;y\\x07'), seen);
  assert.ok(!seen.includes('\x1b]0;'), seen);
});

test('the configs are compared, key by key', (t) => {
  const cwd = scratch(t);
  const change = ['--change', 'ENV A=1 PATH=/bin', '--change', 'LABEL x=y', '--change', 'EXPOSE 80'];
  assert.equal(run([DEMO, '-o', 'oci:one:x', '--quiet'], { cwd }).code, 0);
  assert.equal(run([DEMO, '-o', 'oci:two:x', '--quiet', ...change], { cwd }).code, 0);
  const { lines, end } = diffed(cwd, 'oci:one:x', 'oci:two:x');
  assert.deepEqual(
    lines
      .filter(({ field }) => field !== 'history')
      .map(({ field, key, before, after }) => [field, key, JSON.stringify(before), JSON.stringify(after)]),
    [
      ['Env', 'A', undefined, '"1"'],
      ['Env', 'PATH', '"/usr/bin"', '"/bin"'],
      ['ExposedPorts', '80/tcp', undefined, '{}'],
      ['Labels', 'x', undefined, '"y"'],
    ],
  );
  assert.equal(end.counts.config, lines.length);
  assert.deepEqual(diffed(cwd, 'oci:one:x', 'oci:two:x', '--ignore', 'config').lines, []);
});

test('what makes no sense is refused before anything is read', (t) => {
  const cwd = scratch(t);
  for (const args of [
    ['diff', '-', '-'],
    ['diff', DEMO],
    ['diff', DEMO, DEMO, '--ignore', 'colour'],
    ['diff', DEMO, DEMO, '--include', ''],
    ['diff', DEMO, DEMO, '--platform', 'all'],
  ]) {
    const { code, stdout } = run(args, { cwd });
    assert.equal(code, 2, args.join(' '));
    assert.equal(stdout.length, 0);
  }
  assert.equal(run(['diff', DEMO, 'nothing.tar'], { cwd }).code, 1);
});

test('the library compares two trees', { skip: needs('root') }, async (t) => {
  const cwd = scratch(t);
  assert.equal(run([DEMO, '-o', 'rootfs/', '--quiet'], { cwd }).code, 0);
  appendFileSync(join(cwd, 'rootfs/etc/passwd'), 'x\n');
  chownSync(join(cwd, 'rootfs/etc/passwd'), 3, 4);
  await using one = await openImage(DEMO);
  await using two = await openImage(join(cwd, 'rootfs'));
  await using before = await one.tree();
  await using after = await two.tree();
  const { changes, config, sharedLayers } = await diffTrees(before, after, { ignore: ['mtime'] });
  assert.deepEqual(
    changes.map(({ change, before: a, after: b, aspects }) => [change, a?.path, b?.path, ...aspects]),
    [['changed', 'etc/passwd', 'etc/passwd', 'content', 'owner']],
  );
  assert.deepEqual([config, sharedLayers], [[], 0]);
  assert.deepEqual((await diffTrees(before, before)).changes, []);
  assert.equal((await diffTrees(before, before)).sharedLayers, 4);
  // @ts-expect-error: a word that nothing has
  await assert.rejects(diffTrees(before, after, { ignore: ['size'] }), { code: 'USAGE', option: 'ignore' });
  const stop = AbortSignal.abort();
  await assert.rejects(diffTrees(before, after, { signal: stop }), { code: 'INTERRUPTED' });
});

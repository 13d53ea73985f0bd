import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, closeSync, openSync, readdirSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { findTool } from '../src/ext/tool.js';
import { type FlattenError, flatten, verify } from '../src/index.js';
import { needs } from './support/needs.js';
import { CLI, run } from './support/program.js';
import { PROJECT } from './support/project.js';
import { scratch } from './support/scratch.js';

const DEMO = join(PROJECT, 'test/images/demo.tar');

for (const [output, skip] of [
  ['disk.ext2', needs('mke2fs')],
  ['disk.ext3', needs('mke2fs')],
  ['disk.ext4', needs('mke2fs')],
  ['flat.tar', false],
  ['flat.tar.gz', false],
  ['rootfs/', needs('root')],
] as const) {
  test(`${output} reads back as the image has it`, { skip }, async (t) => {
    const path = join(scratch(t), output);
    await flatten({ input: DEMO, output: output.endsWith('/') ? `${path}/` : path, verify: true });
    assert.deepEqual((await verify({ input: DEMO, output: path })).differences, []);
  });
}

test('every kind of difference is found in a disk image', { skip: needs('debugfs', 'mke2fs') }, async (t) => {
  const cwd = scratch(t);
  const output = join(cwd, 'disk.img');
  await flatten({ input: DEMO, output, disk: { free: 2 ** 20 } });
  writeFileSync(join(cwd, 'new'), 'x');
  const commands = [
    'set_inode_field etc/passwd mode 0100600',
    'set_inode_field etc/shadow uid 7',
    'set_inode_field etc/os-release mtime 1',
    'ea_rm usr/bin/ping security.capability',
    'rm srv/latest',
    `write ${join(cwd, 'new')} added`,
    'rm var/lib/state-1',
    'rm var/lib/state-2',
    'ln usr/bin/su var/lib/state-1',
    'mkdir var/lib/state-2',
  ];
  execFileSync(findTool('debugfs'), ['-w', '-f', '-', output], { input: commands.join('\n'), stdio: 'pipe' });
  const { differences } = await verify({ input: DEMO, output });
  const lines = differences.map(({ path, what }) => `${path}: ${what}`);
  for (const expected of [
    'etc/passwd: mode 0600, expected 0644',
    'etc/shadow: owner 7:42, expected 0:42',
    'usr/bin/ping: xattr security.capability missing',
    'srv/latest: missing',
    'added: not expected',
    'var/lib/state-2: directory, expected file',
  ]) {
    assert.ok(lines.includes(expected), `${expected}\n${lines.join('\n')}`);
  }
  assert.ok(
    lines.some((line) =>
      /^etc\/os-release: mtime \d{4}-\d\d-\d\dT[\d:.]+Z, expected \d{4}-[\dT:.-]+Z$/.test(line),
    ),
    lines.join('\n'),
  );
  assert.ok(lines.some((line) => line.startsWith('var/lib/state-1: ')));
});

test('a flipped bit of content is found, listed, and exit code 1', { skip: needs('mke2fs') }, async (t) => {
  const cwd = scratch(t);
  await flatten({ input: DEMO, output: join(cwd, 'disk.img') });
  const bytes = readFileSync(join(cwd, 'disk.img'));
  bytes[bytes.indexOf('colour = green')] = 0x43;
  writeFileSync(join(cwd, 'disk.img'), bytes);
  const { code, stdout, stderr } = run(['verify', 'disk.img', DEMO], { cwd });
  assert.equal(code, 1);
  assert.equal(stdout.toString(), 'etc/conf.d/10-production: other content\n');
  assert.match(stderr, /1 difference: 1 differs in content$/m);
});

test('a long list of differences is cut, and counted by kind', { skip: needs('root') }, (t) => {
  const cwd = scratch(t);
  assert.equal(run([DEMO, '-o', 'tree/'], { cwd }).code, 0);
  for (let i = 0; i < 150; i++) writeFileSync(join(cwd, 'tree', `added-${i}`), '');
  chmodSync(join(cwd, 'tree/etc/passwd'), 0o600);
  const listed = (...options: string[]) => {
    const { code, stdout, stderr } = run(['verify', 'tree/', DEMO, ...options], { cwd });
    assert.equal(code, 1);
    return { lines: stdout.toString().trim().split('\n').filter(Boolean).length, stderr };
  };
  // The root's mtime is changed too.
  const all = '152 differences: 150 are not expected, 1 differs in mtime, 1 differs in mode';
  assert.equal(listed().lines, 100);
  assert.match(listed().stderr, new RegExp(`${all}; 100 are listed \\(--limit 0 lists all\\)\\n$`));
  assert.equal(listed('--limit', '7').lines, 7);
  assert.equal(listed('--limit', '0').lines, 152);
  assert.match(listed('--limit', '0').stderr, new RegExp(`${all}\\n$`));
  const { stdout } = run(['verify', 'tree/', DEMO, '--json', '--limit', '3'], { cwd });
  const { counts, differences } = JSON.parse(stdout.toString());
  assert.deepEqual(counts, { added: 150, mtime: 1, mode: 1 });
  assert.equal(differences.length, 3);
  assert.equal(differences[0].kind, 'mtime');
  assert.equal(run(['verify', 'tree/', DEMO, '--limit', '1.5'], { cwd }).code, 2);
});

test('the library refuses a limit that is no number', async () => {
  for (const limit of [-1, 1.5, Number.NaN])
    await assert.rejects(verify({ input: DEMO, output: DEMO, limit }), { code: 'USAGE', option: 'limit' });
});

test('an output that does not read back does not appear', { skip: needs('setpriv', 'root') }, async (t) => {
  // Without root the owners cannot be held: what is written differs from the image, and --verify says so.
  const cwd = scratch(t);
  chmodSync(cwd, 0o777);
  const nobody = ['--reuid=65534', '--regid=65534', '--clear-groups', process.execPath, CLI];
  const args = [...nobody, DEMO, '-o', 'rootfs/', '--verify', '--json'];
  const { status, stdout, stderr } = spawnSync('setpriv', args, { cwd });
  assert.equal(status, 1);
  assert.match(
    stderr.toString(),
    /read back: owner 65534:65534, expected 0:0; in all, \d+ differ in owner, /,
  );
  const { code, counts } = JSON.parse(stdout.toString()).error;
  assert.equal(code, 'LOSS');
  assert.ok(counts.owner > 20, JSON.stringify(counts));
  assert.ok(stderr.toString().includes(`in all, ${counts.owner} differ in owner, `));
  assert.deepEqual(readdirSync(cwd), []);
});

const NEEDS: Record<string, string[]> = {
  'disk.ext3': ['mke2fs'],
  'disk.ext4.zst': ['mke2fs'],
  'rootfs/': ['root'],
};
for (const output of [
  'disk.ext3',
  'disk.ext4.zst',
  'flat.tar',
  'flat.tar.gz',
  'rootfs/',
  'docker-archive:image.tar',
  'oci:layout',
  'oci-archive:image.tar',
]) {
  const skip = needs(...(NEEDS[output] ?? []));
  test(`${output}: what is damaged once it is written does not appear`, { skip }, async (t) => {
    for (const layers of output.includes(':') ? [{}, { last: 2 }] : [undefined]) {
      const cwd = scratch(t);
      const [, transport = '', name] = /^(.*:)?(.*)$/.exec(output)!;
      let isOver = false;
      let damaged = false;
      const look = () => {
        damaged ||= damage(cwd);
      };
      const poll = () => {
        look();
        if (!damaged && !isOver) setImmediate(poll);
      };
      poll();
      const options = {
        output: `${transport}${cwd}/${name}`,
        onEvent: look,
        ...(layers && { image: { ...layers, compression: 'none' } }),
      };
      await assert
        .rejects(flatten({ input: DEMO, ...options, verify: true }), ({ code }: FlattenError) =>
          ['LOSS', 'DIGEST_MISMATCH', 'BAD_LAYER'].includes(code),
        )
        .finally(() => {
          isOver = true;
        });
      assert.ok(damaged);
      assert.deepEqual(readdirSync(cwd), []);
    }
  });
}

/** Changes a byte of a file's content as soon as that lies somewhere below `directory`, also compressed. */
function damage(directory: string): boolean {
  const files = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((file) =>
    file.isFile(),
  );
  return files.some(({ parentPath, name }) => {
    try {
      return damageFile(join(parentPath, name));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false; // renamed meanwhile
      throw error;
    }
  });
}

function damageFile(path: string): boolean {
  const bytes = readFileSync(path);
  const isGzip = bytes.length > 500 && bytes[0] === 0x1f && bytes[1] === 0x8b;
  const at = isGzip ? bytes.length >> 1 : bytes.indexOf('colour = green');
  if (at === -1) return false;
  const file = openSync(path, 'r+');
  writeSync(file, Buffer.of(bytes[at]! ^ 1), 0, 1, at);
  closeSync(file);
  return true;
}

test('standard output cannot be read back', () => {
  assert.equal(run([DEMO, '-o', '-', '--verify']).code, 2);
});

test('verify() closes its descriptors when it refuses', { skip: needs('mke2fs') }, async (t) => {
  const cwd = scratch(t);
  await flatten({ input: DEMO, output: join(cwd, 'disk.img') });
  const bytes = readFileSync(join(cwd, 'disk.img'));
  writeFileSync(join(cwd, 'cut.img'), bytes.subarray(0, 5000));
  writeFileSync(join(cwd, 'cut.tar'), readFileSync(DEMO).subarray(0, 700));
  const open = () => readdirSync('/proc/self/fd').length;
  const refusals = [
    ['cut.img', DEMO],
    ['cut.tar', DEMO],
    ['missing.tar', DEMO],
    ['disk.img', join(cwd, 'cut.tar')],
  ] as const;
  // The first of each loads modules and starts threads, whose descriptors stay.
  const refuse = async () => {
    for (const [output, input] of refusals)
      await assert.rejects(verify({ input, output: join(cwd, output) }));
  };
  await refuse();
  const before = open();
  for (let i = 0; i < 5; i++) await refuse();
  assert.equal(open(), before);
});

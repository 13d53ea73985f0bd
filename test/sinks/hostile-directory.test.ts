/** Outputs in a directory that belongs to somebody else, who moves and plants things there all the while. */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { flatten } from '../../src/index.js';
import { needs } from '../support/needs.js';
import { PROJECT } from '../support/project.js';
import { scratch } from '../support/scratch.js';

const DEMO = join(PROJECT, 'test/images/demo.tar');
const SOMEBODY = 65534;
const SECONDS = 3;

/** Somebody's own directory, and one of root's with a file in it, which nothing here may change. */
function surroundings(t: { after(done: () => void): void }) {
  const directory = scratch(t);
  chmodSync(directory, 0o755);
  const [theirs, roots] = [join(directory, 'theirs'), join(directory, 'roots')];
  for (const path of [theirs, roots]) mkdirSync(path);
  writeFileSync(join(roots, 'victim'), 'precious'.repeat(1000));
  chownSync(theirs, SOMEBODY, SOMEBODY);
  const seen = () =>
    readdirSync(roots).map((name) => {
      const { mode, uid, mtimeMs, size } = lstatSync(join(roots, name));
      return { name, mode, uid, mtimeMs, size, text: readFileSync(join(roots, name), 'utf8') };
    });
  return { theirs, roots, seen };
}

/** Swaps whatever shows up in the working directory for links to root's things, as fast as it can. */
const RACER = `
const { readdirSync, renameSync, symlinkSync } = require('node:fs');
const [roots, seconds] = process.argv.slice(1);
const end = Date.now() + 1000 * seconds;
let swaps = 0;
while (Date.now() < end) {
  for (const name of readdirSync('.')) {
    if (!name.includes('.flatten-')) continue;
    try {
      renameSync(name, 'away' + swaps);
      symlinkSync(swaps % 2 ? roots : roots + '/victim', name);
      swaps++;
    } catch {}
  }
}
console.log(swaps);
`;

suite('somebody else owns the directory of the output', { skip: needs('root', 'setpriv', 'mke2fs') }, () => {
  for (const [output, options] of [
    ['rootfs/', {}],
    ['disk.ext4', {}],
    ['disk.ext4.zst', {}],
    ['rootfs.tar', { sha256: true }],
    ['oci:layout', {}],
  ] as const) {
    test(`${output}: who races us changes nothing of root's`, async (t) => {
      const { theirs, roots, seen } = surroundings(t);
      const before = seen();
      const as = ['--reuid', `${SOMEBODY}`, '--regid', `${SOMEBODY}`, '--clear-groups'];
      const racer = spawn('setpriv', [...as, process.execPath, '-e', RACER, roots, `${SECONDS}`], {
        cwd: theirs,
      });
      let swaps = '';
      racer.stdout.on('data', (data) => {
        swaps += data;
      });
      const ended = new Promise((resolve) => racer.on('close', resolve));
      const outcomes = { done: 0, failed: 0 };
      while (racer.exitCode === null) {
        const [transport, name] = output.startsWith('oci:') ? ['oci:', 'layout'] : ['', output];
        await flatten({ input: DEMO, output: `${transport}${theirs}/${name}`, force: true, ...options })
          .then(() => outcomes.done++)
          .catch(() => outcomes.failed++);
        assert.deepEqual(seen(), before);
        await new Promise((resolve) => setImmediate(resolve));
      }
      await ended;
      assert.ok(Number(swaps) > 5, `swapped ${swaps} times only`);
      assert.ok(outcomes.done + outcomes.failed > 0);
      assert.deepEqual(seen(), before);
    });
  }

  test('OUTPUT.sha256 is not written through a link', async (t) => {
    const { theirs, roots, seen } = surroundings(t);
    const before = seen();
    symlinkSync(join(roots, 'victim'), join(theirs, 'rootfs.tar.sha256'));
    await flatten({ input: DEMO, output: join(theirs, 'rootfs.tar'), sha256: true, force: true });
    assert.deepEqual(seen(), before);
    assert.ok(lstatSync(join(theirs, 'rootfs.tar.sha256')).isFile());
  });

  test("a directory of root's that is given the name of a leftover stays", async (t) => {
    const { theirs } = surroundings(t);
    const dead = execFileSync('sh', ['-c', 'echo $$'], { encoding: 'utf8' }).trim();
    const planted = join(theirs, `.rootfs.flatten-${dead}-5-0123456789abcdef`);
    mkdirSync(planted, { mode: 0o700 });
    writeFileSync(join(planted, 'ledger'), '');
    await flatten({ input: DEMO, output: join(theirs, 'rootfs/') });
    assert.deepEqual(readdirSync(planted), ['ledger']);
  });

  test('while the work goes on nobody else can look into it', async (t) => {
    const { theirs } = surroundings(t);
    let looked = 0;
    const onEvent = () => {
      for (const name of readdirSync(theirs).filter((each) => each.includes('.flatten-'))) {
        assert.equal(statSync(join(theirs, name)).mode & 0o7777, 0o700);
        looked++;
      }
    };
    await flatten({ input: DEMO, output: join(theirs, 'disk.ext4'), onEvent });
    assert.ok(looked > 0);
    assert.deepEqual(readdirSync(theirs), ['disk.ext4']);
  });
});

import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { needs } from '../support/needs.js';
import { run } from '../support/program.js';
import { PROJECT } from '../support/project.js';
import { scratch } from '../support/scratch.js';

const input = join(PROJECT, 'test/images/demo.tar');

test('an erofs image is mounted read-only, and unmounted', { skip: needs('root', 'mount') }, (t) => {
  const cwd = scratch(t);
  mkdirSync(join(cwd, 'dir'));
  assert.equal(run([input, '-o', 'disk.erofs', '-q'], { cwd }).code, 0);
  const mounted = run(['mount', 'disk.erofs', 'dir', '--json'], { cwd });
  assert.equal(mounted.code, 0, mounted.stderr);
  try {
    assert.match(readFileSync('/proc/self/mounts', 'utf8'), new RegExp(`${cwd}/dir erofs ro,`));
    assert.throws(() => writeFileSync(join(cwd, 'dir/new'), ''), { code: 'EROFS' });
  } finally {
    const { code, stderr } = run(['unmount', 'dir'], { cwd });
    assert.equal(code, 0, stderr);
  }
  assert.deepEqual(readdirSync(join(cwd, 'dir')), []);
});

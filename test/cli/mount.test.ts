import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { needs } from '../support/needs.js';
import { run } from '../support/program.js';
import { PROJECT } from '../support/project.js';
import { scratch } from '../support/scratch.js';

const input = join(PROJECT, 'test/images/demo.tar');

for (const [kind, ...tools] of [['erofs'], ['squashfs', 'sqfstar']] as const) {
  const skip = needs('root', 'mount', ...tools);
  test(`an image of ${kind} is mounted read-only, and unmounted`, { skip }, (t) => {
    const cwd = scratch(t);
    mkdirSync(join(cwd, 'dir'));
    assert.equal(run([input, '-o', `disk.${kind}`, '-q'], { cwd }).code, 0);
    const mounted = run(['mount', `disk.${kind}`, 'dir', '--json'], { cwd });
    assert.equal(mounted.code, 0, mounted.stderr);
    try {
      assert.match(readFileSync('/proc/self/mounts', 'utf8'), new RegExp(`${cwd}/dir ${kind} ro,`));
      assert.throws(() => writeFileSync(join(cwd, 'dir/new'), ''), { code: 'EROFS' });
    } finally {
      const { code, stderr } = run(['unmount', 'dir'], { cwd });
      assert.equal(code, 0, stderr);
    }
    assert.deepEqual(readdirSync(join(cwd, 'dir')), []);
  });
}

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { flatten } from '../../src/index.js';
import { needs } from '../support/needs.js';
import { PROJECT } from '../support/project.js';
import { scratch } from '../support/scratch.js';

const input = join(PROJECT, 'test/images/demo.tar');

for (const [ending, tool] of [
  ['gz', 'gzip'],
  ['zst', 'zstd'],
] as const) {
  test(
    `disk.img.${ending} holds disk.img, and the same bytes every time`,
    { skip: needs(tool, 'mke2fs') },
    async (t) => {
      const cwd = scratch(t);
      await flatten({ input, output: join(cwd, 'disk.img') });
      await flatten({ input, output: join(cwd, `disk.img.${ending}`), verify: true });
      await flatten({ input, output: join(cwd, `again.img.${ending}`), sha256: true });
      const plain = execFileSync(tool, ['-dc', join(cwd, `disk.img.${ending}`)], { maxBuffer: 1 << 26 });
      assert.ok(plain.equals(readFileSync(join(cwd, 'disk.img'))));
      assert.ok(
        readFileSync(join(cwd, `disk.img.${ending}`)).equals(readFileSync(join(cwd, `again.img.${ending}`))),
      );
      execFileSync('sha256sum', ['-c', `again.img.${ending}.sha256`], { cwd, stdio: 'pipe' });
      const names = [`again.img.${ending}`, `again.img.${ending}.sha256`, 'disk.img', `disk.img.${ending}`];
      assert.deepEqual(readdirSync(cwd).sort(), names);
    },
  );
}

test('a failure leaves neither the packed file nor the plain one', { skip: needs('mke2fs') }, async (t) => {
  const cwd = scratch(t);
  const output = join(cwd, 'disk.img.gz');
  await assert.rejects(flatten({ input, output, disk: { size: 2 ** 20 } }), { code: 'LIMIT' });
  assert.deepEqual(readdirSync(cwd), []);
});

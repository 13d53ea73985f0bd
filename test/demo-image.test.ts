import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { PROJECT } from './support/project.js';
import { scratch } from './support/scratch.js';

test('the demo image that ships is what its script makes', (t) => {
  const made = join(scratch(t), 'demo.tar');
  execFileSync(join(PROJECT, 'scripts/make-demo-image'), [made]);
  assert.ok(readFileSync(made).equals(readFileSync(join(PROJECT, 'test/images/demo.tar'))));
});

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { needs } from './support/needs.js';
import { PROJECT } from './support/project.js';

test(
  'where the usual recipe runs out of space, of inodes, and loses a capability, the image is whole',
  {
    skip: needs('root', 'mkfs.ext3', 'setfattr', 'tar'),
  },
  () => {
    const said = execFileSync(join(PROJECT, 'scripts/against-recipe'), { encoding: 'utf8' });
    const recipe = [...said.matchAll(/^ {2}recipe {3}(.*)$/gm)].map((match) => match[1]!);
    assert.match(recipe[0]!, /^fails in \d+ bytes: .*No space left on device/);
    assert.match(recipe[1]!, /^fails in \d+ bytes: .*No space left on device/);
    assert.match(recipe[2]!, /^fits in \d+ bytes, but loses 1 of 1 xattrs$/);
    assert.equal(
      said.match(/^ {2}flatten {2}whole in \d+ bytes: read back without a difference$/gm)?.length,
      3,
    );
  },
);

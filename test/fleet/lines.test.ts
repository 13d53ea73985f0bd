/** What a person sees of a batch: on a terminal, and of what failed. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { commandFor } from '../../src/cli/batch/again.js';
import { failureLines } from '../../src/cli/batch/lines.js';
import { FlattenError } from '../../src/errors.js';
import { needs } from '../support/needs.js';
import { scratch } from '../support/scratch.js';
import { onTerminal } from '../support/terminal.js';
import { caseArchives, listOf } from './images.js';

test('the command that tries an image again has all its options', () => {
  const command = commandFor({
    input: 'docker://h/a b:1',
    output: "x/it's.ext4",
    format: 'ext4',
    force: true,
    strict: false,
    digests: false,
    digest: true,
    exclude: ['*.txt', 'a'],
    mkdir: [{ path: '/data', mode: 0o750 }, { path: '/x' }],
    add: [{ directory: 'host', path: '/etc' }],
    insecure: ['h'],
    reference: 'app:1',
    addInit: '/init',
    disk: { free: { percent: 10 }, journal: 'none', verity: 'tree', label: 'x' },
    image: { changes: ['CMD ["x"]'], last: 2 },
    configOut: [{ path: 'c.json' }, { path: 'env', format: 'env' }],
  });
  const words =
    "flatten 'docker://h/a b:1' -o 'x/it'\\''s.ext4' --format ext4 --force --exclude '*.txt' --exclude a --mkdir /data:0750 --mkdir /x " +
    '--add host:/etc --insecure h --image app:1 --add-init=/init --config-out c.json --config-out env:env --free 10% --journal none ' +
    '--verity=tree --label x --change \'CMD ["x"]\' --last 2 --no-verify';
  assert.equal(command, words);
});

test('what failed is told without what may be a secret', () => {
  const failed = {
    state: 'failed' as const,
    place: 'list:1',
    image: 'https://h/app.tar',
    output: 'x.tar',
    losses: [],
    seconds: 0,
    fetched: 0,
    cached: 0,
    error: new FlattenError('NETWORK', 'https://h/app.tar: answers 403', { hint: 'ask {authfile}' }),
    request: { input: 'https://user:password@h/app.tar?token=secret', output: 'x.tar' },
  };
  assert.deepEqual(failureLines([failed], 2), [
    'flatten: error: 1 of 2 images failed',
    '  list:1: https://h/app.tar: answers 403',
    '      ask --authfile',
    '    flatten https://h/app.tar -o x.tar',
  ]);
});

test(
  'a terminal has a line for each image that is made, and one for all',
  { skip: needs('python3') },
  (t) => {
    const cwd = scratch(t);
    const names = caseArchives(cwd, 4);
    writeFileSync(join(cwd, 'list'), listOf(names));
    const columns = 60;
    const { code, shown } = onTerminal(['batch', 'list', '-o', 'x/{name}.tar', '-j', '2'], { cwd, columns });
    assert.equal(code, 0, shown);
    const text = Buffer.from(shown, 'latin1').toString();
    const drawn = text.split(/\r(?:\x1b\[\dA)?\x1b\[J/);
    assert.match(text, /\d of 4 images/);
    assert.ok(
      drawn.some((lines) => /^x\/.* {2}\w+/m.test(lines)),
      'an image is being made',
    );
    for (const line of drawn.slice(1, -1).flatMap((lines) => lines.split('\r\n')))
      assert.ok(line.length < columns || / entries, | up to date/.test(line), line);
    assert.match(drawn.at(-1)!, /^4 images: 4 done, 0 up to date, \d+\.\d\d s\r\n$/);
    const quiet = onTerminal(['batch', 'list', '-o', 'x/{name}.tar', '--no-progress'], { cwd });
    assert.doesNotMatch(quiet.shown, /\x1b/);
  },
);

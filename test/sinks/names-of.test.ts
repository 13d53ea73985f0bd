/** Directories that have several names, since bind mounts show them elsewhere. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Mount } from '../../src/host/mounts.js';
import { isInside, namesOf } from '../../src/sinks/staging/names-of.js';

const mount = (device: string, root: string, point: string): Mount => ({
  device,
  root,
  point,
  kind: 'ext4',
  source: 'none',
});

const TABLE = [
  mount('8:1', '/', '/'),
  mount('8:2', '/', '/data'),
  mount('8:2', '/homes/me', '/home/me'),
  mount('8:1', '/srv/shop', '/mnt/shop'),
  mount('8:1', '/', '/mnt/all'),
];

for (const [directory, own, points] of [
  ['/tmp/out', ['/mnt/all/tmp/out'], []],
  ['/data/homes/me', [], ['/home/me']],
  ['/data/homes/you', [], []],
  ['/data/homes', [], ['/home/me']],
  ['/data/homes/me/out', ['/home/me/out'], []],
  ['/home/me/out', ['/data/homes/me/out'], []],
  ['/mnt/all/root', ['/root'], []],
  ['/srv', ['/mnt/all/srv'], ['/mnt/shop']],
  ['/srv/shopping', ['/mnt/all/srv/shopping'], []],
  ['/mnt/shop/a', ['/mnt/all/srv/shop/a', '/srv/shop/a'], []],
] as const) {
  test(`${directory}: ${[...own, ...points].join(', ') || 'has one name'}`, () => {
    const names = namesOf(directory, TABLE);
    assert.deepEqual([...names.own].sort(), [...own, directory].sort());
    assert.deepEqual(names.points, points);
    for (const name of [...own, ...points]) assert.ok(isInside(`${name}/file`, names));
    assert.ok(!isInside(`${directory}ing`, names));
  });
}

test('without a mount table, or a mount that a directory is in, a directory has its own name', () => {
  for (const table of [[], [mount('8:1', '/', '/elsewhere')]])
    assert.deepEqual(namesOf('/tmp/out', table), { own: ['/tmp/out'], points: [] });
});

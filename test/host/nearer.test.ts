/** Short ways into deep directories. */
import assert from 'node:assert/strict';
import { lstatSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Nearer } from '../../src/host/nearer.js';
import { scratch } from '../support/scratch.js';

test('a walk of a deep tree asks the system for short paths, which lead where the long ones lead', (t) => {
  const root = scratch(t);
  const deep = Array.from({ length: 1500 }, () => 'd').join('/');
  mkdirSync(join(root, deep), { recursive: true });
  mkdirSync(join(root, deep.slice(0, 1001), 'side/deeper'), { recursive: true });
  const before = readdirSync('/proc/self/fd').length;
  const nearer = new Nearer();
  let seen = 0;
  const pending = [root];
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    const way = nearer.wayTo(path);
    assert.ok(way.length < root.length + 600, `${way.length} bytes`);
    assert.equal(lstatSync(way).ino, lstatSync(path).ino);
    seen++;
    const names = readdirSync(way);
    nearer.enter(path);
    for (const name of names) pending.push(`${path}/${name}`);
  }
  assert.equal(seen, 1503);
  assert.ok(readdirSync('/proc/self/fd').length < before + 20);
  nearer.close();
  assert.equal(readdirSync('/proc/self/fd').length, before);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pathTest } from '../../src/rootfs/glob.js';

const latin1 = (text: string) => Buffer.from(text, 'utf8').toString('latin1');

for (const [glob, path, expected] of [
  ['*', 'a/b', true],
  ['a/*', 'a/b', true],
  ['a/*', 'a/b/c', false],
  ['a/**', 'a/b/c', true],
  ['a/**', 'a', true],
  ['*/**', 'a', false],
  ['*/**', 'a/b', true],
  ['\\*/**', '*', true],
  ['a/**/b', 'a/b', true],
  ['a/**/b', 'a/x/y/b', true],
  ['a/**/b', 'a/xb', false],
  ['**', 'a/b', true],
  ['a**', 'ab/c', false],
  ['a/**b', 'a/x/b', false],
  ['/a', 'a', true],
  ['/a', 'x/a', false],
  ['./a//b', 'a/b', true],
  ['a', 'x/a', true],
  ['.git', 'x/.git', true],
  ['**/*.pyc', 'usr/lib/.cache/x.pyc', true],
  ['a?c', 'abc', true],
  ['a?c', 'a/c', false],
  ['[a-c].txt', 'b.txt', true],
  ['[!a-c].txt', 'b.txt', false],
  ['[^a-c].txt', 'd.txt', true],
  ['a[!b]c', 'a/c', false],
  ['[]a]', ']', true],
  ['[a-]', '-', true],
  ['[\\]]', ']', true],
  ['[[:digit:]x].log', '7.log', true],
  ['[a', '[a', true],
  ['{x,y}/z', 'y/z', true],
  ['a{,b{c,d}}', 'abd', true],
  ['a{,b{c,d}}', 'a', true],
  ['x/{**,y}', 'x/a/b', true],
  ['{a}', '{a}', true],
  ['{a,b', '{a,b', true],
  ['[{,}]a', ',a', true],
  ['\\{a,b\\}', '{a,b}', true],
  ['usr/share/doc/', 'usr/share/doc', true],
  ['doc/', 'usr/share/doc', true],
  ['a+(b)', 'a+(b)', true],
  ['é', latin1('é'), true],
  ['?', latin1('é'), true],
  ['[é-ü]', latin1('ö'), true],
  ['a?b', 'a\xffb', true],
  ['é?', `${latin1('é')}\xff`, true],
  ['😀*', latin1('😀!'), true],
  ['!a', 'b', false],
  ['!a', '!a', true],
] as const) {
  test(`the glob ${glob} ${expected ? 'means' : 'does not mean'} ${JSON.stringify(path)}`, () => {
    assert.equal(pathTest([glob])(path), expected);
  });
}

/** The minutes that a backtracking matcher takes for each of these, or the memory, leave no doubt. */
test('the time is linear in the glob and the path, whatever they are', { timeout: 60_000 }, () => {
  const path = `usr/${'a'.repeat(200)}/${'a'.repeat(200)}`;
  const paths = Array.from({ length: 500 }, (_, index) => `${path}/${index}`);
  for (const glob of [
    '*a*a*a*a*a*b',
    '*a'.repeat(2000),
    `${'**/'.repeat(1300)}x`,
    '{a,b}'.repeat(800),
    '{a*,*a,?}'.repeat(400),
    `${'{a,'.repeat(1000)}b${'}'.repeat(1000)}`,
    `{${'a*a*b,'.repeat(600)}}`,
    '[[:alpha:]]*'.repeat(300),
    `**/${'?*'.repeat(1000)}b`,
    '['.repeat(4095),
  ]) {
    const isMeant = pathTest([glob]);
    assert.ok(!paths.some(isMeant), glob.slice(0, 20));
  }
});

test('a glob that is longer than any path, or names nothing, makes no sense', () => {
  assert.throws(() => pathTest(['é'.repeat(2048)]), {
    code: 'USAGE',
    message: /^the glob é+…: has 4096 bytes/,
  });
  for (const glob of ['', '/', './']) assert.throws(() => pathTest([glob]), { code: 'USAGE' }, glob);
  assert.equal(pathTest(['a'.repeat(4095)])('a'), false);
});

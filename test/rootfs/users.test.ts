import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accountOf, resolveUser } from '../../src/rootfs/users.js';

const FILES = {
  passwd: [
    'root:x:0:0:root:/root:/bin/sh',
    '# a comment',
    'app:x:1000:100::/srv:/bin/sh',
    'app:x:2000:2000:the second line of a name:/no:/no',
    'odd:x:none:0::/:/',
    '77:x:78:79::/seventy:',
    '',
  ].join('\n'),
  group: [
    'root:x:0:',
    'users:x:100:',
    'wheel:x:10:app,root',
    'audio:x:29:other,app',
    'x:x:4294967295:app',
  ].join('\n'),
};

/** What runc's libcontainer gives: user/user_test.go has most of these. */
const TABLE: Record<string, [uid: number, gid: number, groups: number[], home: string | undefined]> = {
  '': [0, 0, [10], '/root'],
  root: [0, 0, [10], '/root'],
  app: [1000, 100, [10, 29], '/srv'],
  '1000': [1000, 100, [10, 29], '/srv'],
  'app:wheel': [1000, 10, [], '/srv'],
  'app:5': [1000, 5, [], '/srv'],
  '1234': [1234, 0, [], undefined],
  '1234:audio': [1234, 29, [], undefined],
  '1234:1234': [1234, 1234, [], undefined],
  ':wheel': [0, 10, [], '/root'],
  // A name that is a number counts before the number.
  '77': [78, 79, [], '/seventy'],
};

for (const [text, [uid, gid, groups, home]] of Object.entries(TABLE)) {
  test(`${text || 'nobody named'}: as engines have it`, () => {
    const user = resolveUser(text, FILES);
    assert.deepEqual([user.uid, user.gid, user.groups, user.home], [uid, gid, groups, home]);
  });
}

test('a name that the files do not have is an error that says which file', () => {
  const wrong = (text: string, file: string) =>
    assert.throws(() => resolveUser(text, FILES), {
      code: 'NOT_FOUND',
      message: new RegExp(`${file} of the tree has no`),
    });
  wrong('ghost', 'etc/passwd');
  wrong('odd', 'etc/passwd');
  wrong('app:ghosts', 'etc/group');
  wrong('app:x', 'etc/group');
  wrong('4294967295', 'etc/passwd');
  wrong('-1', 'etc/passwd');
});

test('without files numbers count all the same', () => {
  assert.deepEqual(resolveUser('5:6', { passwd: '', group: '' }), { uid: 5, gid: 6, groups: [] });
  assert.deepEqual(resolveUser('', { passwd: '', group: '' }), { uid: 0, gid: 0, groups: [] });
});

test('an account stands for just one user: numbers, and all groups', () => {
  const cases: readonly [text: string, account: string | undefined][] = [
    ['app', 'app'],
    ['1000', 'app'],
    ['', 'root'],
    ['app:users', undefined], // whoever logs in has the other groups, too
    ['1234', undefined],
    ['77', '77'],
  ];
  for (const [text, account] of cases)
    assert.equal(accountOf(resolveUser(text, FILES), FILES), account, text);
});

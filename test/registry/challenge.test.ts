import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseChallenges } from '../../src/registry/challenge.js';

const CASES: readonly [header: string | readonly string[], expected: readonly [string, object][]][] = [
  ['Basic realm="a registry"', [['basic', { realm: 'a registry' }]]],
  [
    'Bearer realm="https://auth.example/token",service="registry.example",scope="repository:a/b:pull,push repository:c:pull"',
    [
      [
        'bearer',
        {
          realm: 'https://auth.example/token',
          service: 'registry.example',
          scope: 'repository:a/b:pull,push repository:c:pull',
        },
      ],
    ],
  ],
  [
    'Negotiate, Basic realm="a, b", BEARER Realm=x , service = y',
    [
      ['negotiate', {}],
      ['basic', { realm: 'a, b' }],
      ['bearer', { realm: 'x', service: 'y' }],
    ],
  ],
  [
    ['Negotiate', 'NTLM', 'Bearer realm="x"'],
    [
      ['negotiate', {}],
      ['ntlm', {}],
      ['bearer', { realm: 'x' }],
    ],
  ],
  ['Basic realm="a \\"quoted\\" word"', [['basic', { realm: 'a "quoted" word' }]]],
  ['Basic realm=""', [['basic', { realm: '' }]]],
  [', ,;/;Basic , realm="y"', [['basic', { realm: 'y' }]]],
  ['', []],
  ['realm="x"', []],
];

for (const [header, expected] of CASES) {
  test(`WWW-Authenticate: ${JSON.stringify(header)}`, () => {
    const found = parseChallenges(header).map(({ scheme, parameters }) => [
      scheme,
      Object.fromEntries(parameters),
    ]);
    assert.deepEqual(found, expected);
  });
}

test('no header, and a long one that is never closed', () => {
  assert.deepEqual(parseChallenges(undefined), []);
  assert.equal(parseChallenges(`Basic realm="${'\\'.repeat(16_000)}`)[0]?.scheme, 'basic');
});

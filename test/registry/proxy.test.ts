import assert from 'node:assert/strict';
import { test } from 'node:test';
import { proxyFor } from '../../src/registry/proxy.js';

const PROXIES = { https_proxy: 'http://proxy:3128', HTTP_PROXY: 'other:80' };

const CASES: readonly (readonly [
  protocol: string,
  host: string,
  env: NodeJS.ProcessEnv,
  proxy: string | undefined,
])[] = [
  ['https:', 'ghcr.io', {}, undefined],
  ['https:', 'ghcr.io', PROXIES, 'http://proxy:3128'],
  ['http:', 'reg.example:5000', PROXIES, 'http://other:80'],
  ['https:', 'ghcr.io', { https_proxy: '', HTTPS_PROXY: 'http://upper:1' }, 'http://upper:1'],
  ['https:', 'ghcr.io', { ...PROXIES, NO_PROXY: '*' }, undefined],
  ['https:', 'a.reg.example:5000', { ...PROXIES, no_proxy: 'x.example, .reg.example' }, undefined],
  ['https:', 'REG.example', { ...PROXIES, no_proxy: 'reg.example' }, undefined],
  ['https:', 'areg.example', { ...PROXIES, no_proxy: 'reg.example' }, 'http://proxy:3128'],
  ['https:', 'reg.example:5000', { ...PROXIES, no_proxy: 'reg.example:5000' }, undefined],
  ['https:', 'reg.example:5001', { ...PROXIES, no_proxy: 'reg.example:5000' }, 'http://proxy:3128'],
];

for (const [protocol, host, env, proxy] of CASES) {
  test(`${protocol}//${host} with ${JSON.stringify(env)} goes ${proxy ? `through ${proxy}` : 'straight there'}`, () =>
    assert.equal(proxyFor(protocol, host, env), proxy));
}

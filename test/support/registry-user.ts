import assert from 'node:assert/strict';
import { once } from 'node:events';
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buffer, text } from 'node:stream/consumers';
import { type Run, start } from './program.js';
import { PASSWORD, type TestRegistry } from './registry.js';
import { scratch } from './scratch.js';

/** Runs `flatten` in a home where nobody has logged in, unless `auth` says so, and sees to it that it tells no secret. */
export async function flattenAs(
  t: { after(done: () => void): void },
  { host, auth }: Pick<TestRegistry, 'host' | 'auth'>,
  args: readonly string[],
  certificates?: string,
): Promise<Run> {
  const home = scratch(t);
  mkdirSync(join(home, '.docker'));
  if (auth) writeFileSync(join(home, '.docker/config.json'), JSON.stringify({ auths: { [host]: { auth } } }));
  const trusted = join(home, '.config/containers/certs.d', host);
  if (certificates) cpSync(certificates, trusted, { recursive: true });
  const env = {
    HOME: home,
    XDG_RUNTIME_DIR: home,
    XDG_CONFIG_HOME: '',
    DOCKER_CONFIG: '',
    REGISTRY_AUTH_FILE: '',
  };
  const others = { NODE_EXTRA_CA_CERTS: '', SSL_CERT_FILE: '' };
  const child = start(args, { cwd: home, env: { ...process.env, ...env, ...others }, timeout: 60_000 });
  const [stdout, stderr, [code]] = await Promise.all([
    buffer(child.stdout!),
    text(child.stderr!),
    once(child, 'exit'),
  ]);
  const found = { code, stdout, stderr };
  for (const secret of [PASSWORD, auth])
    assert.ok(!secret || !`${found.stdout}${found.stderr}`.includes(secret));
  return found;
}

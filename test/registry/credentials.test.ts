import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { findCredential } from '../../src/registry/find-credential.js';
import { setEnvironment } from '../support/environment.js';
import { scratch } from '../support/scratch.js';

const basic = (text: string) => Buffer.from(text).toString('base64');

/** A home with these files, and programs in its `bin`; nothing else of this machine is seen. */
function home(t: TestContext, files: Readonly<Record<string, unknown>>): string {
  const directory = scratch(t);
  for (const [name, content] of Object.entries(files)) {
    const path = join(directory, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
    if (name.startsWith('bin/')) chmodSync(path, 0o755);
  }
  setEnvironment(t, {
    HOME: directory,
    PATH: `${join(directory, 'bin')}:${process.env.PATH}`,
    XDG_RUNTIME_DIR: join(directory, 'run'),
    XDG_CONFIG_HOME: undefined,
    DOCKER_CONFIG: undefined,
    REGISTRY_AUTH_FILE: undefined,
  });
  return directory;
}

async function find(name: string, authfile?: string) {
  const told: string[] = [];
  const [host, ...path] = name.split('/') as [string, ...string[]];
  const { signal } = new AbortController();
  const credential = await findCredential(
    { host, repository: path.join('/') },
    { signal, authfile, report: (event) => event.type === 'warning' && told.push(event.message) },
  );
  const { from, ...shown } = credential ?? { from: undefined };
  return { shown, from, told };
}

test('the files in their order, of which the first with something counts', async (t) => {
  const auths = (user: string, host: string) => ({ auths: { [host]: { auth: basic(`${user}:x`) } } });
  const directory = home(t, {
    'run/containers/auth.json': auths('run', 'a.example'),
    '.config/containers/auth.json': {
      auths: { ...auths('no', 'a.example').auths, ...auths('config', 'b.example').auths },
    },
    '.docker/config.json': auths('docker', 'c.example'),
    '.dockercfg': { 'https://d.example/v1/': { auth: basic('old:x') } },
    'other.json': auths('other', 'a.example'),
  });
  const users: Record<string, string | undefined> = {};
  for (const host of ['a.example', 'b.example', 'c.example', 'd.example', 'e.example'])
    users[host] = ((await find(`${host}/app`)).shown as { username?: string }).username;
  assert.deepEqual(users, {
    'a.example': 'run',
    'b.example': 'config',
    'c.example': 'docker',
    'd.example': 'old',
    'e.example': undefined,
  });
  const other = join(directory, 'other.json');
  assert.deepEqual(await find('a.example/app', other), {
    shown: { username: 'other', password: 'x' },
    from: other,
    told: [],
  });
  assert.deepEqual((await find('c.example/app', other)).shown, {});
  setEnvironment(t, { REGISTRY_AUTH_FILE: other });
  assert.equal((await find('a.example/app')).from, other);
  await assert.rejects(find('a.example/app', join(directory, 'none.json')), { code: 'NOT_FOUND' });
});

test('the entry that names most of the repository comes first; Docker Hub has several names', async (t) => {
  home(t, {
    '.docker/config.json': {
      auths: {
        'reg.example': { auth: basic('host:x') },
        'reg.example/team': { auth: basic('team:a:b') },
        'reg.example/team/app': { auth: basic('app:x') },
        'https://index.docker.io/v1/': { auth: basic('hub:x') },
        'token.example': { auth: basic('someone:x'), identitytoken: 'identity' },
        'empty.example': {},
      },
    },
  });
  const cases: Record<string, object> = {
    'reg.example/team/app': { username: 'app', password: 'x' },
    'reg.example/team/app/more': { username: 'app', password: 'x' },
    'reg.example/team/other': { username: 'team', password: 'a:b' },
    'reg.example/teams': { username: 'host', password: 'x' },
    'docker.io/library/alpine': { username: 'hub', password: 'x' },
    'token.example/app': { identityToken: 'identity' },
    'empty.example/app': {},
    'reg.example:5000/app': {},
  };
  for (const [name, expected] of Object.entries(cases))
    assert.deepEqual((await find(name)).shown, expected, name);
});

const KEEPER = `#!/bin/sh
read -r host
case "$1 $host" in
  'get kept.example') echo '{"ServerURL":"kept.example","Username":"kept","Secret":"s"}' ;;
  'get token.example') echo '{"Username":"<token>","Secret":"identity"}' ;;
  'get https://index.docker.io/v1/') echo '{"Username":"hub","Secret":"s"}' ;;
  'get broken.example') echo 'secret-in-output'; exit 3 ;;
  'get odd.example') echo 'secret-in-output' ;;
  *) echo 'credentials not found in native keychain'; exit 1 ;;
esac
`;

test('programs keep credentials: the one of the host, else the one of all; each is asked for its own hosts only', async (t) => {
  home(t, {
    'bin/docker-credential-keeper': KEEPER,
    'bin/docker-credential-never': '#!/bin/sh\necho never >&2; exit 9\n',
    '.docker/config.json': {
      auths: { 'own.example': { auth: basic('own:x') }, 'kept.example': {} },
      credHelpers: { 'other.example': 'never' },
      credsStore: 'keeper',
    },
  });
  const expected: Record<string, object> = {
    'kept.example/app': { username: 'kept', password: 's' },
    'token.example/app': { identityToken: 'identity' },
    'docker.io/library/alpine': { username: 'hub', password: 's' },
    'own.example/app': { username: 'own', password: 'x' },
    'unknown.example/app': {},
  };
  for (const [name, shown] of Object.entries(expected)) {
    const found = await find(name);
    assert.deepEqual([found.shown, found.told], [shown, []], name);
  }
});

test('a program that is missing or fails is a warning, without what it printed', async (t) => {
  const directory = home(t, {
    'bin/docker-credential-keeper': KEEPER,
    '.docker/config.json': {
      credHelpers: {
        'a.example': 'desktop-that-is-not-here',
        'b.example': '../../bin/sh',
        'broken.example': 'keeper',
        'odd.example': 'keeper',
      },
    },
  });
  const file = join(directory, '.docker/config.json');
  const whys: Record<string, string> = {
    'a.example': `docker-credential-desktop-that-is-not-here, which ${file} names, is not installed`,
    'b.example': `docker-credential-../../bin/sh, which ${file} names, is not the name of a program`,
    'broken.example': `docker-credential-keeper, which ${file} names, fails with exit code 3`,
    'odd.example': `docker-credential-keeper, which ${file} names, does not answer as it should`,
  };
  for (const [host, why] of Object.entries(whys))
    assert.deepEqual(await find(`${host}/app`), {
      shown: {},
      from: undefined,
      told: [`${host}: ${why}: going on without credentials`],
    });
});

test('a file that makes no sense is named, and nothing of it is repeated', async (t) => {
  home(t, { '.docker/config.json': '{"auths": {"a.example": {"auth": "c2VjcmV0LXdvcmQ6eA=="}},,' });
  await assert.rejects(find('a.example/app'), (error: Error & { code: string }) => {
    assert.equal(error.code, 'USAGE');
    assert.match(error.message, /config\.json: is no file with credentials$/);
    assert.ok(!`${error.stack} ${error.cause}`.includes('c2Vj'));
    return true;
  });
});

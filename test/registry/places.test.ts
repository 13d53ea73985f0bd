/** Which places registries.conf has for an image: by tables, and by what skopeo asks with the same file. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { formatRegistryReference, parseRegistryReference } from '../../src/oci/registry-reference.js';
import { placesFor } from '../../src/registry/places.js';
import { registryRules } from '../../src/registry/registries-conf.js';
import { parseRules } from '../../src/registry/registry-rule.js';
import { needs } from '../support/needs.js';
import { scratch } from '../support/scratch.js';

const CONF = `
unqualified-search-registries = ["localhost:9"]

[[registry]]
prefix = "localhost:1/a"
location = "localhost:2/b"
[[registry.mirror]]
location = "localhost:3"
insecure = true
[[registry.mirror]]
location = "localhost:3/tags"
pull-from-mirror = "tag-only"

[[registry]]
prefix = "localhost:1/a/deep"
location = "localhost:4/deep/er/"

[[registry]]
location = "localhost:5"
mirror-by-digest-only = true
[[registry.mirror]]
location = "localhost:6/digests"

[[registry]]
prefix = "*.sub.localhost"
[[registry.mirror]]
location = "localhost:7"

[[registry]]
location = "docker.io"
[[registry.mirror]]
location = "localhost:8/hub"

[[registry]]
prefix = "docker.io/library/debian"
location = "localhost:8/debian"
insecure = true
`;

const DIGEST = `sha256:${'0'.repeat(64)}`;

/** What is asked for, and the places; `!` for one that may be insecure. */
const CASES: Readonly<Record<string, readonly string[]>> = {
  'localhost:1/other/x:1': ['localhost:1/other/x:1'],
  'localhost:1/ab/x:1': ['localhost:1/ab/x:1'],
  'localhost:1/a/x:1': ['!localhost:3/x:1', 'localhost:3/tags/x:1', 'localhost:2/b/x:1'],
  [`localhost:1/a/x@${DIGEST}`]: [`!localhost:3/x@${DIGEST}`, `localhost:2/b/x@${DIGEST}`],
  'localhost:1/a/deep/x:1': ['localhost:4/deep/er/x:1'],
  'localhost:1/a/deep:1': ['localhost:4/deep/er:1'],
  'localhost:5/x:1': ['localhost:5/x:1'],
  [`localhost:5/x@${DIGEST}`]: [`localhost:6/digests/x@${DIGEST}`, `localhost:5/x@${DIGEST}`],
  'a.b.sub.localhost/x:1': ['localhost:7/x:1', 'a.b.sub.localhost/x:1'],
  'sub.localhost/x:1': ['sub.localhost/x:1'],
  'debian:12': ['!localhost:8/debian:12'],
};

function asked(name: string): string[] {
  const rules = parseRules(CONF, 'registries.conf');
  return placesFor(parseRegistryReference(name), rules).map(
    ({ reference, isInsecure }) => `${isInsecure ? '!' : ''}${formatRegistryReference(reference)}`,
  );
}

for (const [name, places] of Object.entries(CASES))
  test(`${name} is asked for at ${places.join(', then ')}`, () => assert.deepEqual(asked(name), places));

test('a name of Docker Hub has its mirrors too, short or not', () => {
  const places = ['localhost:8/hub/library/alpine:3', 'docker.io/library/alpine:3'];
  for (const name of ['alpine:3', 'docker.io/alpine:3', 'index.docker.io/library/alpine:3'])
    assert.deepEqual(asked(name), places);
});

test('skopeo asks the same places', { skip: needs('skopeo') }, (t) => {
  const file = join(scratch(t), 'registries.conf');
  writeFileSync(file, CONF);
  for (const [name, places] of Object.entries(CASES)) {
    const args = ['--debug', '--registries-conf', file, 'inspect', `docker://${name}`];
    const { stderr } = spawnSync('skopeo', args, { encoding: 'utf8', timeout: 60_000 });
    const tried = [...stderr.matchAll(/Trying to access \\"(.*?)\\"/g)].map(([, place]) => place);
    assert.deepEqual(
      tried,
      places.map((place) => place.replace('!', '')),
      name,
    );
  }
});

test('what is blocked is refused, with the rule that says so', () => {
  const conf = `\n[[registry]]\nlocation = "reg.example/bad"\nblocked = true\n`;
  const rules = parseRules(conf, '/x.conf');
  assert.throws(() => placesFor(parseRegistryReference('reg.example/bad/app:1'), rules), {
    code: 'DENIED',
    message: 'reg.example/bad/app: is blocked',
    hint: '/x.conf:2 blocks reg.example/bad',
  });
  assert.equal(placesFor(parseRegistryReference('reg.example/badly:1'), rules).length, 1);
});

/** What makes no sense, and what is said of it. */
const BROKEN: Readonly<Record<string, RegExp>> = {
  'a = 1\nb = \n': /^x\.conf:2: is no TOML: /,
  '[[registry]]\nlocation = "b.example"\n[[registry]]\nlocation = "a.example"\nblocked = "yes"':
    /^x\.conf:3: blocked is neither/,
  '[[registry]]\nlocation = 5': /^x\.conf:1: location is no text/,
  '[[registry]]\nlocation = "https://a.example"': /^x\.conf:1: the location .* has a scheme/,
  '[[registry]]\nlocation = "alpine"': /^x\.conf:1: alpine is no location/,
  '[[registry]]\nprefix = "a.example"': /^x\.conf:1: the registry a\.example has no location/,
  '[[registry]]\ninsecure = true': /^x\.conf:1: a registry has neither/,
  '[[registry]]\nprefix = "a.*.example"\nlocation = "b.example"': /^x\.conf:1: a\.\*\.example is no prefix/,
  '[[registry]]\nprefix = "*.example/x"\nlocation = "b.example"': /^x\.conf:1: \*\.example\/x is no prefix/,
  '[[registry]]\nlocation = "a.example"\n[[registry.mirror]]\ninsecure = true': /:1: a mirror has no loc/,
  '[[registry]]\nlocation = "a.example"\nmirror = 5': /:1: mirror is no list/,
  '[[registry]]\nlocation = "a.example"\n[[registry.mirror]]\nlocation = "b.example"\npull-from-mirror = "some"':
    /:1: pull-from-mirror is some/,
  'registry = 1': /^x\.conf: registry is no list/,
  '[registries.block]\nregistries = ["a.example"]': /^x\.conf: is written in version 1/,
};

for (const [text, message] of Object.entries(BROKEN))
  test(`${JSON.stringify(text)} is refused`, () =>
    assert.throws(() => parseRules(text, 'x.conf'), { code: 'USAGE', message }));

async function prefixes(env: NodeJS.ProcessEnv): Promise<Record<string, string | undefined>> {
  const rules = await registryRules(env);
  return Object.fromEntries(rules.map(({ prefix, location }) => [prefix, location]));
}

test('the file of the user, its additions in their order, and a file that is named', async (t: TestContext) => {
  const home = scratch(t);
  const put = (name: string, ...registries: readonly (readonly [string, string])[]) => {
    const path = join(home, '.config/containers', name);
    mkdirSync(dirname(path), { recursive: true });
    const tables = registries.map(
      ([prefix, location]) => `[[registry]]\nprefix = "${prefix}"\nlocation = "${location}"\n`,
    );
    writeFileSync(path, tables.join(''));
    return path;
  };
  put('registries.conf', ['a.example', '1.example'], ['b.example', '1.example']);
  put('registries.conf.d/20.conf', ['b.example', '3.example']);
  put('registries.conf.d/10.conf', ['b.example', '2.example'], ['c.example', '2.example']);
  put('registries.conf.d/30.conf.off', ['a.example', '4.example']);
  const found = await prefixes({ HOME: home });
  assert.deepEqual(found, { 'a.example': '1.example', 'b.example': '3.example', 'c.example': '2.example' });
  const named = put('named.conf', ['d.example', '5.example']);
  const own = await prefixes({ HOME: home, CONTAINERS_REGISTRIES_CONF: named });
  assert.equal(own['d.example'], '5.example');
  assert.equal(own['a.example'], undefined);
  assert.equal(own['b.example'], '3.example');
  const missing = { HOME: home, CONTAINERS_REGISTRIES_CONF: join(home, 'none.conf') };
  await assert.rejects(registryRules(missing), { code: 'NOT_FOUND', message: /CONTAINERS_REGISTRIES_CONF/ });
});

/** Registries that lead to a store of blobs, by addresses that are good for a while. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LARGE } from '../../src/registry/ranges.js';
import { blobOf, partial, read, repositoryAt, scripted } from '../support/scripted-registry.js';

const { bytes, descriptor } = blobOf(LARGE + 5);
const login = { username: 'me', password: 'secret-of-tests', from: 'a test' };

/** What a store answers once an address has expired; stores differ. */
const EXPIRED = [403, 401, 410];

for (const good of [Number.POSITIVE_INFINITY, 4]) {
  test(`an address that is good ${good === 4 ? 'four times' : 'for ever'} is asked for again when it has to be`, async (t) => {
    const left = new Map<string, number>();
    const store = await scripted(t, (request, response, path) => {
      const uses = left.get(path) ?? good;
      left.set(path, uses - 1);
      if (uses > 0) return partial(bytes, request, response);
      return response.writeHead(EXPIRED[Number(path.slice(-1)) % EXPIRED.length]!).end();
    });
    let signed = 0;
    const registry = await scripted(t, ({ headers }, response, path) => {
      if (headers.authorization === undefined)
        return response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end();
      if (path.includes('/blobs/'))
        return response.writeHead(307, { location: `${store.url}/signed?n=${signed++}` }).end();
      return undefined;
    });
    const { repository, waits } = repositoryAt(t, registry.host, login);
    assert.ok((await read(repository, descriptor)).equals(bytes));
    const ranges = Math.ceil(bytes.length / (4 * 2 ** 20));
    if (good === 4)
      assert.ok(signed > 2 && signed < ranges, `it was signed ${signed} times for ${ranges} ranges`);
    else assert.equal(signed, 1);
    assert.ok(store.asked.every((line) => !line.includes('Basic')));
    assert.deepEqual(waits, []);
  });
}

/** Blobs that are sent to registries which cut, are busy, forget, lead elsewhere, or want to know anew who sends. */
import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { blobOf, destinationAt, scripted } from '../support/scripted-registry.js';
import { uploadServer } from '../support/upload-server.js';

const { bytes, descriptor } = blobOf(3 * 2 ** 20 + 5);
const { digest, size } = descriptor;
const { signal } = new AbortController();
const person = { username: 'me', password: 'secret', from: 'config.json' };

/** The blob, in pieces as a file is read. */
const blob = {
  digest,
  size,
  read: (start: number) =>
    Readable.from(
      (function* () {
        for (let at = start; at < size; at += 65_536) yield bytes.subarray(at, at + 65_536);
      })(),
    ),
};

const isPatch = (method: string | undefined, path: string) => method === 'PATCH' && path.startsWith('/up/');

test('POST, PATCH, PUT: an address that is relative and carries a state stays as it is', async (t) => {
  const server = await uploadServer(t);
  const { destination } = destinationAt(t, server.host);
  assert.equal(await destination.putBlob(blob, { signal }), 'sent');
  assert.ok(server.blobs.get(digest)!.equals(bytes));
  assert.deepEqual(
    server.asked.slice(-4),
    [
      'POST /v2/app/blobs/uploads/',
      'PATCH /up/0?state=a%2Fb+0%3D',
      `PUT /up/0?state=a%2Fb+${size}%3D&digest=${encodeURIComponent(digest)}`,
    ].toSpliced(0, 0, `HEAD /v2/app/blobs/${digest}`),
  );
  assert.equal(await destination.putBlob(blob, { signal }), 'there');
  assert.equal(server.sent.length, 1);
});

test('cut in the middle: it goes on where the registry says that it stopped', async (t) => {
  let cuts = 3;
  const server = await uploadServer(t, ({ method }, _, path) =>
    isPatch(method, path) && cuts-- > 0 ? 700_000 : undefined,
  );
  const { destination, waits } = destinationAt(t, server.host);
  assert.equal(await destination.putBlob(blob, { signal }), 'sent');
  assert.ok(server.blobs.get(digest)!.equals(bytes));
  assert.deepEqual(server.sent, [
    'PATCH 0 700000',
    'PATCH 700000 700000',
    'PATCH 1400000 700000',
    `PATCH 2100000 ${size - 2_100_000}`,
  ]);
  assert.equal(waits.length, 3);
  assert.equal(server.open.size, 0);
});

for (const [what, status] of [
  ['says that the place is not there', 404],
  ['says that the bytes do not belong there', 416],
] as const) {
  test(`cut in the middle, and the registry ${what}: it begins anew`, async (t) => {
    let isCut = false;
    const server = await uploadServer(t, ({ method }, response, path) => {
      if (isPatch(method, path) && !isCut) {
        isCut = true;
        return 500_000;
      }
      return method === 'GET' && path.startsWith('/up/') ? response.writeHead(status).end() : undefined;
    });
    const { destination } = destinationAt(t, server.host);
    await destination.putBlob(blob, { signal });
    assert.ok(server.blobs.get(digest)!.equals(bytes));
    assert.deepEqual(server.sent, ['PATCH 0 500000', `PATCH 0 ${size}`]);
    assert.equal(server.open.size, 0, 'the first one was ended');
  });
}

test('416: the registry is asked what it has', async (t) => {
  let count = 0;
  const server = await uploadServer(t, ({ method }, response, path) => {
    if (!isPatch(method, path)) return undefined;
    count++;
    if (count === 1) return 800_000;
    return count === 2 ? response.writeHead(416).end() : undefined;
  });
  const { destination } = destinationAt(t, server.host);
  await destination.putBlob(blob, { signal });
  assert.deepEqual(server.sent, ['PATCH 0 800000', `PATCH 800000 ${size - 800_000}`]);
});

test('what has arrived otherwise than it was sent is sent again', async (t) => {
  let isFirst = true;
  const server = await uploadServer(t, ({ method }, _, path) => {
    if (method !== 'PUT' || !path.startsWith('/up/') || !isFirst) return;
    isFirst = false;
    server.open.set('0', Buffer.from('something else'));
  });
  const { destination } = destinationAt(t, server.host);
  await destination.putBlob(blob, { signal });
  assert.ok(server.blobs.get(digest)!.equals(bytes));
  assert.equal(server.sent.length, 2);
});

test('the last answer is lost: a registry that has the blob gets it no second time', async (t) => {
  const server = await uploadServer(t, ({ method }, response, path) => {
    if (method !== 'PUT' || !path.startsWith('/up/')) return;
    server.blobs.set(digest, server.open.get('0')!);
    server.open.delete('0');
    response.destroy();
  });
  const { destination } = destinationAt(t, server.host);
  await destination.putBlob(blob, { signal });
  assert.equal(server.sent.length, 1);
});

test('a registry that is busy is asked again when it says, and goes on', async (t) => {
  let count = 0;
  const server = await uploadServer(t, ({ method }, response, path) => {
    if (!isPatch(method, path) && method !== 'POST') return undefined;
    count++;
    if (count === 1 || count === 3) return response.writeHead(429, { 'retry-after': '37' }).end();
    return undefined;
  });
  const { destination, waits, told } = destinationAt(t, server.host);
  await destination.putBlob(blob, { signal });
  assert.ok(server.blobs.get(digest)!.equals(bytes));
  assert.deepEqual(waits, [37_000, 37_000]);
  assert.deepEqual(told, Array(2).fill(`${server.host}: rate limited, waiting 37 s`));
});

test('one that always cuts ends in an error that names it, and the upload is ended', async (t) => {
  const server = await uploadServer(t, ({ method }, _, path) => (isPatch(method, path) ? 1000 : undefined));
  const { destination, waits } = destinationAt(t, server.host);
  await assert.rejects(destination.putBlob(blob, { signal }), {
    code: 'NETWORK',
    message: new RegExp(server.host),
  });
  assert.equal(server.sent.length, 6);
  assert.equal(waits.length, 5);
  assert.equal(server.open.size, 0);
});

test('interrupted in the middle: the upload is ended', async (t) => {
  const stop = new AbortController();
  const server = await uploadServer(t, ({ method }, _, path) => {
    if (!isPatch(method, path)) return undefined;
    stop.abort();
    return new Promise(() => {}); // nothing more is answered
  });
  const { destination } = destinationAt(t, server.host);
  await assert.rejects(destination.putBlob(blob, { signal: stop.signal }), { code: 'INTERRUPTED' });
  assert.ok(server.asked.at(-1)!.startsWith('DELETE /up/0'));
  assert.equal(server.open.size, 0);
});

test('a token that is refused in the middle is made anew, and the bytes are sent again', async (t) => {
  let good = '';
  let made = 0;
  const challenge = (response: ServerResponse) =>
    response.writeHead(401, { 'www-authenticate': `Bearer realm="${server.url}/token",service="s"` }).end();
  const server = await uploadServer(t, ({ method, headers }, response, path) => {
    if (path.startsWith('/token')) {
      good = `t${++made}`;
      return response.end(JSON.stringify({ token: good, expires_in: 300 }));
    }
    if (isPatch(method, path) && made === 1) good = 'taken back';
    return headers.authorization === `Bearer ${good}` ? undefined : challenge(response);
  });
  const { destination } = destinationAt(t, server.host, person);
  await destination.putBlob(blob, { signal });
  assert.ok(server.blobs.get(digest)!.equals(bytes));
  assert.equal(made, 2);
  assert.ok(server.asked.some((line) => line.includes('scope=repository%3Aapp%3Apull%2Cpush ')));
});

test('a redirect of the bytes is followed, without credentials', async (t) => {
  const away = await uploadServer(t, ({ headers }) => assert.equal(headers.authorization, undefined));
  const server = await uploadServer(t, ({ method, headers }, response, path) => {
    if (headers.authorization === undefined)
      return response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end();
    if (!isPatch(method, path)) return undefined;
    away.open.set('0', Buffer.alloc(0));
    return response.writeHead(307, { location: `${away.url}${path}` }).end();
  });
  const { destination } = destinationAt(t, server.host, person);
  await destination.putBlob(blob, { signal });
  // The place that the other server names is its own, and gets no credentials either.
  assert.ok(away.blobs.get(digest)!.equals(bytes));
  assert.ok(server.asked.some((line) => line.includes('(Basic ')));
});

for (const [what, location] of [
  ['a file', 'file:///etc/passwd'],
  ['an address with a password', 'http://a:b@127.0.0.2/up'],
] as const) {
  test(`an upload is not led to ${what}`, async (t) => {
    const { host, asked } = await scripted(t, ({ method }, response) => {
      if (method === 'POST') response.writeHead(202, { location }).end();
    });
    const { destination } = destinationAt(t, host);
    await assert.rejects(destination.putBlob(blob, { signal }), {
      code: 'DENIED',
      message: /an upload leads to/,
    });
    assert.ok(!asked.some((line) => /^(PATCH|PUT)/.test(line)));
  });
}

test('a registry that begins no upload where it should', async (t) => {
  const { host } = await scripted(t, ({ method }, response) => {
    if (method === 'POST') response.writeHead(202).end();
  });
  const { destination } = destinationAt(t, host);
  await assert.rejects(destination.putBlob(blob, { signal }), {
    code: 'NETWORK',
    message: /does not say where/,
  });
});

test('a blob of another repository is mounted; where the registry begins an upload in place of that, it is used', async (t) => {
  for (const status of [201, 202]) {
    const server = await uploadServer(t, ({ method }, response, path) => {
      if (method === 'POST' && path.includes('mount=') && status === 201) response.writeHead(201).end();
    });
    const { destination } = destinationAt(t, server.host);
    const from = { host: server.host, repository: 'base' };
    const how = await destination.putBlob(blob, { from, signal });
    assert.equal(how, status === 201 ? 'mounted' : 'sent');
    const posts = server.asked.filter((line) => line.startsWith('POST'));
    assert.deepEqual(posts, [`POST /v2/app/blobs/uploads/?mount=${encodeURIComponent(digest)}&from=base`]);
    assert.equal(server.open.size, 0);
  }
});

test('another registry is asked to mount nothing; nor is one whose server of tokens gives none for both', async (t) => {
  const server = await uploadServer(t, ({ headers }, response, path) => {
    if (path.startsWith('/token'))
      return path.includes('base')
        ? response.writeHead(403).end()
        : response.end(JSON.stringify({ token: 'good' }));
    if (headers.authorization === 'Bearer good') return undefined;
    return response.writeHead(401, { 'www-authenticate': `Bearer realm="${server.url}/token"` }).end();
  });
  for (const from of [
    { host: 'other.example', repository: 'base' },
    { host: server.host, repository: 'base' },
  ]) {
    server.blobs.clear();
    const { destination } = destinationAt(t, server.host, person);
    assert.equal(await destination.putBlob(blob, { from, signal }), 'sent');
  }
  assert.ok(!server.asked.some((line) => line.includes('mount=')));
});

const REFUSALS: readonly (readonly [
  status: number,
  body: object,
  code: string,
  message: RegExp,
  hint: RegExp,
])[] = [
  [
    401,
    { code: 'UNAUTHORIZED', message: 'who?' },
    'DENIED',
    /config\.json are wrong, or do not give the right to push.*who\?/,
    /docker login/,
  ],
  [
    403,
    { code: 'DENIED', message: 'no' },
    'DENIED',
    /do not give the right to push/,
    /log in as somebody who may/,
  ],
  [
    403,
    { code: 'DENIED', message: 'will exceed the configured upper limit' },
    'DENIED',
    /has no room/,
    /remove tags/,
  ],
  [
    404,
    { code: 'NAME_UNKNOWN', message: 'unknown' },
    'NOT_FOUND',
    /has no such repository/,
    /make it there first/,
  ],
  [405, { code: 'UNSUPPORTED' }, 'DENIED', /takes no images/, /read-only/],
  [413, {}, 'DENIED', /is too large/, /client_max_body_size/],
  [400, { code: 'NAME_INVALID' }, 'USAGE', /is no name that/, /PROJECT/],
  [507, {}, 'DENIED', /has no room/, /remove tags/],
  [
    418,
    { code: 'TEAPOT', message: 'short\u001b[31m' },
    'NETWORK',
    /answers 418 TEAPOT \(it says: short\\x1b/,
    /^$/,
  ],
];

for (const [status, error, code, message, hint] of REFUSALS) {
  test(`refused with ${status}: ${message.source}`, async (t) => {
    const { host } = await scripted(t, ({ method }, response) => {
      if (method === 'POST') response.writeHead(status).end(JSON.stringify({ errors: [error] }));
    });
    const { destination } = destinationAt(t, host, person);
    const refused = await destination.refuseDenied(signal).then(
      () => undefined,
      (thrown) => thrown,
    );
    assert.equal(refused?.code, code);
    assert.match(refused.message, message);
    assert.match(refused.message, /^127\.0\.0\.1:\d+\/app:1: /);
    assert.match(refused.hint ?? '', hint);
    assert.ok(!`${refused.message}${refused.hint}`.includes('secret'));
  });
}

test('a manifest that the registry does not take', async (t) => {
  const { host } = await scripted(t, ({ method }, response) => {
    const errors = [{ code: 'MANIFEST_INVALID', message: 'manifest invalid' }];
    if (method === 'PUT') response.writeHead(400).end(JSON.stringify({ errors }));
  });
  const { destination } = destinationAt(t, host);
  const manifest = { mediaType: 'application/json', bytes: Buffer.from('{}') };
  await assert.rejects(destination.putManifest('1', manifest, signal), {
    code: 'NETWORK',
    message: /app:1: 127.* answers 400 MANIFEST_INVALID \(it says: manifest invalid\)/,
  });
});

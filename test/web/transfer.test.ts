/** Files on the web: what goes on after a cut, and what is refused. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import type { RequestListener } from 'node:http';
import { type TestContext, test } from 'node:test';
import { parseWebAddress } from '../../src/web/address.js';
import { transfer } from '../../src/web/transfer.js';
import { listen, sendFile } from './server.js';

const BYTES = randomBytes(300_000);
const DIGEST = `sha256:${createHash('sha256').update(BYTES).digest('hex')}`;

/** What comes from an address, and the warnings on the way. */
async function received(address: string, offset = 0) {
  const warnings: string[] = [];
  const chunks: Buffer[] = [];
  const context = {
    signal: new AbortController().signal,
    report: (event: { type: string; code?: string; message?: string }) => {
      if (event.type === 'warning') warnings.push(`${event.code}: ${event.message}`);
    },
  };
  for await (const chunk of transfer(parseWebAddress(address), offset, context)) chunks.push(chunk);
  return { bytes: Buffer.concat(chunks), warnings };
}

/** A server whose answers are given one after the other; the last for all that follow. */
function inTurn(t: TestContext, ...answers: readonly RequestListener[]) {
  let turn = 0;
  return listen(t, (request, response) => answers[Math.min(turn++, answers.length - 1)]!(request, response));
}

const file =
  (options: Parameters<typeof sendFile>[3] = {}): RequestListener =>
  (request, response) =>
    sendFile(BYTES, request, response, options);

const answering =
  (status: number, headers: Record<string, string> = {}): RequestListener =>
  (_, response) => {
    response.writeHead(status, headers);
    response.end('an answer');
  };

test('a transfer that is cut, twice, goes on where it stopped', async (t) => {
  const etag = '"one"';
  const { url, asked } = await inTurn(
    t,
    file({ etag, cut: 100_000 }),
    file({ etag, cut: 50_000 }),
    file({ etag }),
  );
  const { bytes, warnings } = await received(`${url}/file`);
  assert.ok(bytes.equals(BYTES));
  assert.deepEqual(
    asked.map(({ range, ifRange }) => [range, ifRange]),
    [
      [undefined, undefined],
      ['bytes=100000-', etag],
      ['bytes=150000-', etag],
    ],
  );
  assert.equal(warnings.length, 2);
  assert.match(warnings[0]!, /^RETRY: http:\/\/127.*\/file: .*; trying again in \d+\.\d s$/);
});

test('a server that knows no ranges sends all again, and what was there is skipped', async (t) => {
  const etag = '"one"';
  const { url } = await inTurn(t, file({ etag, cut: 100_000 }), file({ etag, whole: true }));
  assert.ok((await received(`${url}/file`)).bytes.equals(BYTES));
  const from = await inTurn(t, file({ whole: true }));
  assert.ok((await received(`${from.url}/file`, 1234)).bytes.equals(BYTES.subarray(1234)));
});

test('a file that has changed in between is an error', async (t) => {
  for (const second of [file({ etag: '"two"' }), file({ etag: '"two"', whole: true }), file({})]) {
    const { url } = await inTurn(t, file({ etag: '"one"', cut: 1000 }), second);
    await assert.rejects(received(`${url}/file`), { code: 'IO', message: /has changed while it was read$/ });
  }
  const longer: RequestListener = (request, response) =>
    sendFile(Buffer.concat([BYTES, BYTES]), request, response, { etag: '"one"' });
  const { url } = await inTurn(t, file({ etag: '"one"', cut: 1000 }), longer);
  await assert.rejects(received(`${url}/file`), { message: /has changed while it was read$/ });
});

test('a server that sends other bytes than were asked for is found out', async (t) => {
  for (const range of ['bytes 0-299999/300000', 'bytes 1000-300000/300000', 'bytes 1000-', 'x']) {
    const wrong = answering(206, { etag: '"one"', 'content-range': range });
    const { url } = await inTurn(t, file({ etag: '"one"', cut: 1000 }), wrong);
    await assert.rejects(
      received(`${url}/file`),
      { message: /sends other bytes than were asked for$/ },
      range,
    );
  }
});

test('without a validator a cut is the end, unless a digest will tell', async (t) => {
  const { url } = await inTurn(t, file({ cut: 1000 }), file());
  await assert.rejects(received(`${url}/file`), {
    code: 'IO',
    message: /the transfer was cut, and the server does not say how to go on$/,
    hint: /#sha256:DIGEST$/,
  });
  const other = await inTurn(t, file({ cut: 1000 }), file());
  assert.ok((await received(`${other.url}/file#${DIGEST}`)).bytes.equals(BYTES));
  assert.equal(other.asked[1]!.range, 'bytes=1000-');
});

test('a server that is busy is asked again, when it says; not for ever', async (t) => {
  const busy = answering(503, { 'retry-after': '0' });
  const { url, asked } = await inTurn(t, busy, answering(429, { 'retry-after': '0' }), file());
  const { bytes, warnings } = await received(`${url}/file`);
  assert.ok(bytes.equals(BYTES));
  assert.equal(asked.length, 3);
  assert.match(warnings[0]!, /the server answers 503; trying again in 0 s$/);
  const never = await inTurn(t, busy);
  await assert.rejects(received(`${never.url}/file`), { code: 'IO', message: /the server answers 503$/ });
  assert.equal(never.asked.length, 5);
});

test('what will not get better is said at once', async (t) => {
  const cases: [RequestListener, object][] = [
    [answering(404), { code: 'NOT_FOUND', message: /\/file: is not there \(404\)$/ }],
    [answering(403), { code: 'IO', message: /the server answers 403$/, hint: /PASSWORD/ }],
    [answering(302, { location: '/file' }), { code: 'IO', message: /redirected more than 10 times$/ }],
    [answering(302), { message: /\/file: is redirected to nowhere$/ }],
    [answering(302, { location: 'ftp://x/y' }), { message: /redirected to ftp:.*, which is no https$/ }],
  ];
  for (const [answer, expected] of cases) {
    const { url, asked } = await inTurn(t, answer);
    await assert.rejects(received(`${url}/file?token=SECRET`), (error: Error) => {
      assert.doesNotMatch(`${error.message} ${error.stack}`, /SECRET/);
      assert.throws(() => {
        throw error;
      }, expected);
      return true;
    });
    assert.ok(asked.length <= 11);
  }
  await assert.rejects(received('http://127.0.0.1:1/file'), {
    code: 'IO',
    message: /nothing listens there$/,
  });
});

test("a password goes to the file's own origin, and not back there once it has left", async (t) => {
  const far = await listen(t, (_, response) => {
    response.writeHead(307, { location: `${own.url}/back` });
    response.end();
  });
  const own = await listen(t, (request, response) => {
    if (request.url === '/back') return sendFile(BYTES, request, response);
    response.writeHead(307, { location: request.url === '/file' ? '/near' : `${far.url}/far` });
    response.end();
  });
  const { bytes } = await received(`${own.url.replace('//', '//me:p%40ss@')}/file`);
  assert.ok(bytes.equals(BYTES));
  const basic = `Basic ${Buffer.from('me:p@ss').toString('base64')}`;
  const sent = (asked: typeof own.asked) => asked.map(({ path, authorization }) => [path, authorization]);
  assert.deepEqual(sent(own.asked), [
    ['/file', basic],
    ['/near', basic],
    ['/back', undefined],
  ]);
  assert.deepEqual(sent(far.asked), [['/far', undefined]]);
});

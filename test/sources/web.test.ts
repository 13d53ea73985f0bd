/** Archives and root filesystems on the web, as inputs. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import type { RunEvent } from '../../src/context.js';
import { DEMO } from '../sinks/image/made.js';
import { lines } from '../support/listing.js';
import { needs } from '../support/needs.js';
import { start } from '../support/program.js';
import { scratch } from '../support/scratch.js';
import { MEMORY } from '../support/sinks.js';
import { archive } from '../support/tar.js';
import { listen, sendFile } from '../web/server.js';
import { open, session } from './opening.js';

const SAVED = readFileSync(DEMO);
const PACKED = gzipSync(SAVED);
const digestOf = (bytes: Buffer) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

/** Runs the program to its end while servers of this process answer it. */
async function cli(args: readonly string[], cwd: string, env: NodeJS.ProcessEnv = {}) {
  const child = start(args, { cwd, env: { ...process.env, FLATTEN_CACHE: join(cwd, '.cache'), ...env } });
  const stderr = child.stderr!.toArray();
  const [code] = await once(child, 'close');
  return { code, stderr: Buffer.concat(await stderr).toString() };
}

const files: Record<string, Buffer> = {
  '/image.tar': SAVED,
  '/image.tar.gz': PACKED,
  '/rootfs.tar': archive([{ path: 'bin/sh', body: Buffer.from('sh') }]),
  '/page.tar': Buffer.from('<!doctype html><title>Log in</title>'),
};

const serve: RequestListener = (request, response) => {
  const { pathname } = new URL(request.url!, 'http://x');
  const bytes = files[pathname];
  if (bytes) return sendFile(bytes, request, response, { etag: '"one"' });
  response.writeHead(404);
  response.end();
};

test('archives and root filesystems, compressed or not, are read as they are from files', async (t) => {
  const { url } = await listen(t, serve);
  const cwd = scratch(t);
  for (const name of ['image.tar', 'image.tar.gz?token=SECRET']) {
    assert.deepEqual(lines(await MEMORY.list(`${url}/${name}`, cwd)), lines(await MEMORY.list(DEMO, cwd)));
  }
  const imported = await cli(['import', `${url}/rootfs.tar`, '-o', 'oci:made'], cwd);
  assert.equal(imported.code, 0, imported.stderr);
  assert.equal((await cli([`rootfs:${url}/image.tar`, '-o', 'plain.tar'], cwd)).code, 0);
  assert.match(
    (await cli(['import', `${url}/image.tar`, '-o', 'x.tar'], cwd)).stderr,
    /a root filesystem is wanted/,
  );
  assert.match(
    (await cli([`${url}/page.tar`, '-o', 'x.tar'], cwd)).stderr,
    /page\.tar: is a web page, neither/,
  );
  assert.match(
    (await cli([`${url}/none.tar`, '-o', 'x.tar'], cwd)).stderr,
    /none\.tar: is not there \(404\)/,
  );
  assert.deepEqual(readdirSync(cwd).sort(), ['made', 'plain.tar']);
});

test('a digest must match; what matches is downloaded once', async (t) => {
  const { url, asked } = await listen(t, serve);
  const cwd = scratch(t);
  const input = `${url}/image.tar.gz#${digestOf(PACKED)}`;
  for (const output of ['a.tar', 'b.tar']) assert.equal((await cli([input, '-o', output], cwd)).code, 0);
  assert.equal(asked.length, 1);
  assert.ok(readFileSync(join(cwd, 'a.tar')).equals(readFileSync(join(cwd, 'b.tar'))));
  const { code, stderr } = await cli(
    [`${url}/image.tar#${digestOf(PACKED)}`, '-o', 'c.tar', '--cache', 'none'],
    cwd,
  );
  assert.equal(code, 1);
  assert.match(stderr, /\/image\.tar: is not what its digest says: .* what was sent is sha256:/);
  assert.ok(!existsSync(join(cwd, 'c.tar')));
  assert.equal((await cli([input, '-o', 'd.tar', '--cache', 'none'], cwd)).code, 0);
  assert.equal(asked.length, 3);
  const pruned = await cli([input, '-o', 'e.tar', '--cache-size', '0'], cwd);
  assert.equal(pruned.code, 0, pruned.stderr);
  assert.deepEqual(readdirSync(join(cwd, '.cache/blobs/sha256')), []);
});

test('a run that is interrupted leaves nothing but a part in the cache, with which the next goes on', async (t) => {
  let isHeld = true;
  const { url, asked } = await listen(t, (request, response) => {
    if (!isHeld) return sendFile(PACKED, request, response, { etag: '"one"' });
    response.writeHead(200, { 'content-length': PACKED.length });
    response.write(PACKED.subarray(0, 1000));
  });
  const cwd = scratch(t);
  const input = `${url}/image.tar.gz#${digestOf(PACKED)}`;
  const part = join(cwd, '.cache/partial', digestOf(PACKED).replace(':', '-'));
  const env = { ...process.env, FLATTEN_CACHE: join(cwd, '.cache') };
  const child = start([input, '-o', 'a.tar'], { cwd, env });
  while (!existsSync(part) || statSync(part).size < 1000) await setTimeout(20);
  child.kill('SIGINT');
  assert.deepEqual(await once(child, 'exit'), [130, null]);
  assert.deepEqual(readdirSync(cwd), ['.cache']);
  assert.deepEqual(readdirSync(join(cwd, '.cache/partial')), [digestOf(PACKED).replace(':', '-')]);
  isHeld = false;
  const { code, stderr } = await cli([input, '-o', 'a.tar'], cwd);
  assert.equal(code, 0, stderr);
  assert.deepEqual(
    asked.map(({ range }) => range),
    [undefined, 'bytes=1000-'],
  );
});

test('the progress of a transfer has a total where the server tells one', async (t) => {
  const { url } = await listen(t, serve);
  const known = session(t);
  const totals: (number | undefined)[] = [];
  const report = (event: RunEvent) => {
    if (event.type === 'progress' && event.phase === 'open') totals.push(event.total);
  };
  await open(t, `${url}/image.tar.gz`, {}, { ...known, report });
  assert.ok(totals.length > 1);
  assert.deepEqual(new Set(totals), new Set([PACKED.length]));
});

test('options for the cache are refused where nothing is downloaded', async (t) => {
  const cwd = scratch(t);
  for (const args of [
    ['image.tar', '-o', 'x.tar', '--cache', 'here'],
    ['verify', 'x.tar', 'image.tar', '--cache-size', '1G'],
    ['import', 'rootfs', '-o', 'oci:x', '--cache', 'none'],
  ]) {
    const { code, stderr } = await cli(args, cwd);
    assert.equal(code, 2, stderr);
    assert.match(
      stderr,
      /error: --cache(-size)?: only for what is downloaded, and (image\.tar|rootfs) is not$/m,
    );
  }
});

test('an interrupt ends a transfer without a digest too', async (t) => {
  let hear = () => {};
  const begun = new Promise<void>((resolve) => {
    hear = resolve;
  });
  const { url } = await listen(t, (_, response) => response.write(SAVED.subarray(0, 20_480), hear));
  const cwd = scratch(t);
  const child = start([`${url}/image.tar`, '-o', 'a.tar'], { cwd });
  await begun;
  child.kill('SIGINT');
  assert.deepEqual(await once(child, 'exit'), [130, null]);
  assert.deepEqual(readdirSync(cwd), []);
});

/** A TLS server for `files.example.test` with an authority of its own, and a proxy that leads every name to it. */
async function beyondProxy(t: TestContext, answer: RequestListener) {
  const home = scratch(t);
  const [key, cert] = [join(home, 'key.pem'), join(home, 'cert.pem')];
  const names = 'subjectAltName=DNS:files.example.test,DNS:other.example.test';
  const request = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=test'];
  execFileSync('openssl', [...request, '-addext', names, '-keyout', key, '-out', cert], { stdio: 'pipe' });
  const server = createTlsServer({ key: readFileSync(key), cert: readFileSync(cert) }, answer);
  const connected: string[] = [];
  const proxy = createHttpServer().on('connect', ({ url }, socket) => {
    connected.push(url!);
    const far = connect((server.address() as AddressInfo).port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      far.pipe(socket).pipe(far);
    });
    for (const end of [far, socket]) end.on('error', () => {});
  });
  for (const each of [server, proxy]) {
    each.listen(0, '127.0.0.1');
    await once(each, 'listening');
    t.after(() => {
      each.closeAllConnections();
      each.close();
    });
  }
  const HTTPS_PROXY = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  return { env: { HTTPS_PROXY, NO_PROXY: '', no_proxy: '' }, cert, connected };
}

test(
  'https by a proxy; redirects lead neither to private addresses nor out of https',
  { skip: needs('openssl') },
  async (t) => {
    const places: Record<string, string> = {
      '/moved.tar': 'https://other.example.test/image.tar',
      '/loopback.tar': 'https://127.0.0.1/image.tar',
      '/cloud.tar': 'https://169.254.169.254/image.tar',
      '/plain.tar': 'http://files.example.test/image.tar',
    };
    const { env, cert, connected } = await beyondProxy(t, (request, response) => {
      const location = places[request.url!];
      if (location === undefined) return serve(request, response);
      response.writeHead(302, { location });
      response.end();
    });
    const cwd = scratch(t);
    const get = (name: string, more: NodeJS.ProcessEnv = { NODE_EXTRA_CA_CERTS: cert }) =>
      cli([`https://files.example.test/${name}`, '-o', 'a.tar', '--force'], cwd, { ...env, ...more });
    const strange = await get('image.tar', {});
    assert.equal(strange.code, 1);
    assert.match(strange.stderr, /its certificate is not trusted \(.*\)\n {2}.*NODE_EXTRA_CA_CERTS=/);
    for (const name of ['image.tar', 'moved.tar']) {
      const { code, stderr } = await get(name);
      assert.equal(code, 0, stderr);
    }
    const before = connected.length;
    for (const [name, what] of [
      ['loopback.tar', /is redirected to a private address, https:\/\/127\.0\.0\.1\/image\.tar/],
      ['cloud.tar', /is redirected to a private address, https:\/\/169\.254\.169\.254/],
      ['plain.tar', /is redirected to http:.*, which is no https/],
    ] as const) {
      const { code, stderr } = await get(name);
      assert.equal(code, 1);
      assert.match(stderr, what);
    }
    assert.ok(
      connected.slice(before).every((to) => to === 'files.example.test:443'),
      connected.join(),
    );
    assert.ok(connected.includes('other.example.test:443'));
  },
);

test('what makes no sense as an address is said before anything is read', async (t) => {
  const cwd = scratch(t);
  writeFileSync(join(cwd, 'there'), '');
  for (const [input, code, what] of [
    ['http://example.com/x.tar', 2, /by https only/],
    ['https://example.com/x.tar#v1', 2, /is not a digest/],
    ['https://', 2, /is no address/],
    ['https://example.com/x.tar', 1, /there: exists already/],
  ] as const) {
    const run = await cli([input, '-o', 'there', '--format', 'tar'], cwd);
    assert.equal(run.code, code, run.stderr);
    assert.match(run.stderr, what);
  }
});

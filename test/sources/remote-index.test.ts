/** Indexes, artifacts and lies of a registry that holds just what a test puts there. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { scripted } from '../support/scripted-registry.js';
import { archive } from '../support/tar.js';
import { open, paths, session } from './opening.js';

const OCI = 'application/vnd.oci.image';
const digestOf = (bytes: Uint8Array) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

/** What a registry holds, by digest and tag. */
class Store {
  readonly blobs = new Map<string, { readonly mediaType: string; readonly bytes: Buffer }>();

  put(mediaType: string, content: unknown) {
    const bytes = Buffer.isBuffer(content) ? content : Buffer.from(JSON.stringify(content));
    this.blobs.set(digestOf(bytes), { mediaType, bytes });
    return { mediaType, digest: digestOf(bytes), size: bytes.length };
  }

  /** An image with one layer, which has one file. */
  image(file: string, architecture: string) {
    const tar = archive([{ path: file, body: Buffer.from(file) }]);
    const layer = this.put(`${OCI}.layer.v1.tar+gzip`, gzipSync(tar));
    const rootfs = { type: 'layers', diff_ids: [digestOf(tar)] };
    const config = this.put(`${OCI}.config.v1+json`, { architecture, os: 'linux', rootfs });
    return this.put(`${OCI}.manifest.v1+json`, { schemaVersion: 2, config, layers: [layer] });
  }

  index(manifests: readonly object[]) {
    return this.put(`${OCI}.index.v1+json`, { schemaVersion: 2, manifests });
  }

  tag(name: string, { digest }: { readonly digest: string }): void {
    this.blobs.set(name, this.blobs.get(digest)!);
  }

  async serve(t: TestContext) {
    const { host, asked } = await scripted(t, (_, response, path) => {
      const [, name = ''] = /^\/v2\/app\/(?:manifests|blobs)\/(.+)$/.exec(path) ?? [];
      const found = this.blobs.get(name);
      if (found !== undefined) response.writeHead(200, { 'content-type': found.mediaType }).end(found.bytes);
    });
    return { name: `docker://${host}/app`, asked };
  }
}

const on = (descriptor: object, architecture: string) => ({
  ...descriptor,
  platform: { os: 'linux', architecture },
});

test('of an index only what is meant is fetched; attestations and artifacts are passed over', async (t) => {
  const store = new Store();
  const [amd64, arm64] = [store.image('amd', 'amd64'), store.image('arm', 'arm64')];
  const attestation = {
    ...store.image('no', 'unknown'),
    annotations: { 'vnd.docker.reference.type': 'attestation-manifest' },
  };
  const signature = { ...store.image('no', 'amd64'), artifactType: 'application/x.signature' };
  store.tag('1', store.index([on(amd64, 'amd64'), attestation, signature, on(arm64, 'arm64')]));
  const { name, asked } = await store.serve(t);
  const image = await open(t, `${name}:1`, { platform: { os: 'linux', architecture: 'arm64' } });
  assert.deepEqual([image.digest, image.platform], [arm64.digest, { os: 'linux', architecture: 'arm64' }]);
  const fetched = asked
    .filter((line) => line.includes('/manifests/'))
    .map((line) => line.replace(/.*\//, ''));
  assert.deepEqual(fetched, ['1', arm64.digest]);
  assert.ok(!asked.some((line) => line.includes('/blobs/') && !line.includes(config(store, arm64.digest))));
  assert.deepEqual(await paths(image, session(t)), [['arm']]);
  await assert.rejects(open(t, `${name}:1`, { platform: { os: 'linux', architecture: 's390x' } }), {
    code: 'NOT_FOUND',
    hint: /linux\/arm64\n.*linux\/amd64/,
  });
});

const config = (store: Store, digest: string): string =>
  JSON.parse(store.blobs.get(digest)!.bytes.toString()).config.digest;

test('indexes in indexes, and manifests of which no index says the platform', async (t) => {
  const store = new Store();
  const inner = store.index([store.image('amd', 'amd64'), store.image('arm', 'arm64')]);
  store.tag('1', store.index([inner]));
  const { name } = await store.serve(t);
  const image = await open(t, `${name}:1`, { platform: { os: 'linux', architecture: 'arm64' } });
  assert.deepEqual(await paths(image, session(t)), [['arm']]);
  const byDigest = await open(t, `${name}@${inner.digest}`, {
    platform: { os: 'linux', architecture: 'amd64' },
  });
  assert.deepEqual(await paths(byDigest, session(t)), [['amd']]);
  let deep: object = inner;
  for (let depth = 0; depth < 9; depth++) deep = store.index([deep]);
  store.tag('deep', deep as typeof inner);
  await assert.rejects(open(t, `${name}:deep`), { code: 'LIMIT', message: /nested more than 8 deep/ });
  store.tag('wide', store.index(Array.from({ length: 101 }, (_, count) => store.image(`${count}`, 'arm64'))));
  await assert.rejects(open(t, `${name}:wide`), { code: 'LIMIT', hint: /digest/ });
});

test('an artifact, and an image of the first schema, are refused by name', async (t) => {
  const store = new Store();
  const chart = store.put('application/vnd.cncf.helm.config.v1+json', {});
  const packed = store.put('application/vnd.cncf.helm.chart.content.v1.tar+gzip', Buffer.from('x'));
  store.tag(
    'chart',
    store.put(`${OCI}.manifest.v1+json`, { schemaVersion: 2, config: chart, layers: [packed] }),
  );
  store.tag(
    'old',
    store.put('application/vnd.docker.distribution.manifest.v1+prettyjws', {
      schemaVersion: 1,
      fsLayers: [],
    }),
  );
  const { name } = await store.serve(t);
  await assert.rejects(open(t, `${name}:chart`), {
    code: 'UNSUPPORTED',
    message: /artifact \(application\/vnd\.cncf\.helm/,
  });
  await assert.rejects(open(t, `${name}:old`), { code: 'UNSUPPORTED', message: /schema 1/ });
});

test('a size or a digest that is not what the registry said', async (t) => {
  const store = new Store();
  const image = store.image('a', 'amd64');
  store.tag('size', store.index([on({ ...image, size: image.size + 1 }, 'amd64')]));
  store.tag('1', image);
  const { name } = await store.serve(t);
  await assert.rejects(open(t, `${name}:size`), {
    code: 'DIGEST_MISMATCH',
    message: /bytes, its descriptor says/,
  });
  const layer = JSON.parse(store.blobs.get(image.digest)!.bytes.toString()).layers[0].digest;
  const { mediaType, bytes } = store.blobs.get(layer)!;
  const other = Buffer.from(bytes);
  other[9]! ^= 1; // gzip's byte for the system, which changes nothing else
  store.blobs.set(layer, { mediaType, bytes: other });
  await assert.rejects(paths(await open(t, `${name}:1`), session(t)), {
    code: 'DIGEST_MISMATCH',
    layer: /^layer 1 of 1/,
  });
  store.blobs.delete(layer);
  await assert.rejects(paths(await open(t, `${name}:1`), session(t)), {
    code: 'NOT_FOUND',
    message: /^layer 1 of 1 .*blob/,
  });
});

import assert from 'node:assert/strict';
import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { formatPlatform, linuxOn } from '../../src/oci/platform.js';
import type { Choice } from '../../src/sources/image.js';
import { dockerFiles, ociFiles, tarOf, writeFiles } from '../support/image.js';
import { sha256 } from '../support/listing.js';
import { scratch } from '../support/scratch.js';
import { layer, open, paths, put, session } from './opening.js';

const OCI = 'application/vnd.oci.image';
const DOCKER = 'application/vnd.docker';
const stack = [layer('base'), layer('top')];

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly [more: string]: unknown;
}

/** A layout made by hand. */
class Layout {
  readonly files = new Map<string, Buffer>([['oci-layout', Buffer.from('{"imageLayoutVersion":"1.0.0"}')]]);

  blob(mediaType: string, value: unknown, more: object = {}): Descriptor {
    const bytes = Buffer.isBuffer(value) ? value : Buffer.from(JSON.stringify(value));
    this.files.set(`blobs/sha256/${sha256(bytes)}`, bytes);
    return { mediaType, digest: `sha256:${sha256(bytes)}`, size: bytes.length, ...more };
  }

  config(tars: readonly Buffer[], more: object = {}): Descriptor {
    const diff_ids = tars.map((tar) => `sha256:${sha256(tar)}`);
    return this.blob(`${OCI}.config.v1+json`, { rootfs: { type: 'layers', diff_ids }, ...more });
  }

  /** An image of one layer that adds `path`. */
  image(path: string, more: object = {}, change: object = {}, config: object = {}): Descriptor {
    const { tar } = layer(path);
    const manifest = {
      schemaVersion: 2,
      config: this.config([tar], config),
      layers: [this.blob(`${OCI}.layer.v1.tar`, tar)],
      ...change,
    };
    return this.blob(`${OCI}.manifest.v1+json`, manifest, more);
  }

  index(manifests: readonly unknown[], more: object = {}): Descriptor {
    return this.blob(`${OCI}.index.v1+json`, { schemaVersion: 2, manifests }, more);
  }

  drop({ digest }: Descriptor): void {
    this.files.delete(`blobs/${digest.replace(':', '/')}`);
  }

  open(t: TestContext, manifests: readonly unknown[], choice: Choice = {}, digests = true) {
    this.files.set('index.json', Buffer.from(JSON.stringify({ schemaVersion: 2, manifests })));
    return open(t, put(t, tarOf(this.files)), choice, session(t, { digests }));
  }
}

const named = (name: string) => ({ annotations: { 'org.opencontainers.image.ref.name': name } });
const on = (platform: string) => {
  const [os, architecture, variant] = platform.split('/');
  return { platform: { os, architecture, ...(variant && { variant }) } };
};
const host = formatPlatform(linuxOn(process.arch));
const other = host === 'linux/s390x' ? 'linux/amd64' : 'linux/s390x';

test('a layout in a tar and in a directory', async (t) => {
  const files = ociFiles(stack);
  const directory = scratch(t);
  writeFiles(directory, files);
  for (const path of [put(t, tarOf(files)), directory, `oci:${directory}:latest`]) {
    const image = await open(t, path);
    assert.deepEqual(await paths(image, session(t)), [['base'], ['top']]);
    assert.equal(image.kind, 'oci');
    assert.equal(image.name, 'latest');
    const { manifests } = JSON.parse(files.get('index.json')!.toString());
    assert.equal(image.digest, manifests[0].digest);
    assert.equal(image.layers[0]!.digest, `sha256:${sha256(stack[0]!.tar)}`);
  }
});

test('indexes in indexes: the names of the outer ones hold, and any digest on the way is one', async (t) => {
  const layout = new Layout();
  const inner = layout.index([layout.image('mine', on(host)), layout.image('theirs', on(other))]);
  const outer = layout.index([inner], named('v1'));
  const second = layout.image('second', { ...named('v2'), ...on(host) });
  const opened = async (choice: Choice) =>
    (await paths(await layout.open(t, [outer, second], choice), session(t))).flat();
  assert.deepEqual(await opened({ image: 'v1' }), ['mine']);
  assert.deepEqual(await opened({ image: inner.digest }), ['mine']);
  assert.deepEqual(await opened({ image: outer.digest }), ['mine']);
  assert.deepEqual(await opened({ image: 'v2' }), ['second']);
  const [os, architecture] = other.split('/') as [string, string];
  assert.deepEqual(await opened({ image: 'v1', platform: { os, architecture } }), ['theirs']);
  await assert.rejects(opened({}), { code: 'AMBIGUOUS', hint: /v1 .*\n.*v2 / });
});

test('a platform that no index says is found in the config', async (t) => {
  const layout = new Layout();
  const [os, architecture] = other.split('/');
  const theirs = layout.image('theirs', {}, {}, { os, architecture });
  const mine = layout.image('mine', {}, {}, linuxOn(process.arch));
  assert.deepEqual(await paths(await layout.open(t, [theirs, mine]), session(t)), [['mine']]);
});

test("Docker's media types mix with OCI's", async (t) => {
  const layout = new Layout();
  const { tar } = layer('a');
  const manifest = layout.blob(`${DOCKER}.distribution.manifest.v2+json`, {
    schemaVersion: 2,
    config: { ...layout.config([tar]), mediaType: `${DOCKER}.container.image.v1+json` },
    layers: [layout.blob(`${DOCKER}.image.rootfs.diff.tar.gzip`, tar)],
  });
  const list = layout.blob(`${DOCKER}.distribution.manifest.list.v2+json`, { manifests: [manifest] });
  assert.deepEqual(await paths(await layout.open(t, [list]), session(t)), [['a']]);
});

test('attestations and artifacts are never chosen, and named when asked for', async (t) => {
  const layout = new Layout();
  const image = layout.image('a', on(host));
  const attestation = layout.image('b', {
    ...on('unknown/unknown'),
    annotations: { 'vnd.docker.reference.type': 'attestation-manifest' },
  });
  const signature = layout.image('c', named('sig'), {
    layers: [layout.blob('application/vnd.dev.cosign.simplesigning.v1+json', {})],
  });
  const chart = layout.image('d', named('chart'), {
    config: layout.blob('application/vnd.cncf.helm.config.v1+json', {}),
  });
  const stranger = layout.blob('application/vnd.example+json', {}, named('blob'));
  const all = [attestation, signature, chart, stranger, image];
  assert.deepEqual(await paths(await layout.open(t, all), session(t)), [['a']]);
  const refused: [string, RegExp][] = [
    [attestation.digest, /is an attestation, no image$/],
    ['sig', /is an artifact \(application\/vnd\.dev\.cosign\.simplesigning\.v1\+json\), no image$/],
    ['chart', /is an artifact \(application\/vnd\.cncf\.helm\.config\.v1\+json\), no image$/],
    ['blob', /is an artifact \(application\/vnd\.example\+json\), no image$/],
  ];
  for (const [wanted, message] of refused) {
    await assert.rejects(layout.open(t, all, { image: wanted }), { code: 'UNSUPPORTED', message });
  }
  await assert.rejects(layout.open(t, all.slice(0, 4)), { code: 'NOT_FOUND', hint: /\n {2}sig / });
});

test('sizes and digests of the JSON are verified, unless that is switched off', async (t) => {
  const layout = new Layout();
  const image = layout.image('a', on(host));
  const blob = `blobs/${image.digest.replace(':', '/')}`;
  const bytes = layout.files.get(blob)!;
  const longer = Buffer.concat([bytes, Buffer.from(' ')]);
  layout.files.set(blob, longer);
  await assert.rejects(layout.open(t, [image]), {
    code: 'DIGEST_MISMATCH',
    message: `blob ${image.digest}: has ${longer.length} bytes, its descriptor says ${bytes.length}`,
  });
  await assert.rejects(layout.open(t, [{ ...image, size: longer.length }]), {
    code: 'DIGEST_MISMATCH',
    message: `blob ${image.digest}: has the digest sha256:${sha256(longer)}`,
  });
  assert.equal((await layout.open(t, [image], {}, false)).layers.length, 1);
});

test("a layer's size is verified at once; its digest is the layer's own affair", async (t) => {
  const layout = new Layout();
  const { tar } = layer('a');
  const stored = { ...layout.blob(`${OCI}.layer.v1.tar`, tar), size: 7 };
  const image = layout.image('a', {}, { layers: [stored] });
  await assert.rejects(layout.open(t, [image]), {
    code: 'DIGEST_MISMATCH',
    message: /^layer 1 of 1 \(sha256:.*…\): blob sha256:.*: has 2048 bytes, its descriptor says 7$/,
  });
  assert.equal((await layout.open(t, [image], {}, false)).layers.length, 1);
});

test('a layer without its blob says which and why', async (t) => {
  const layout = new Layout();
  const foreign = layout.blob(`${DOCKER}.image.rootfs.foreign.diff.tar.gzip`, layer('gone').tar);
  layout.drop(foreign);
  const elsewhere = { ...foreign, urls: ['https://example.com/layer\u001b[2J'] };
  const refused: [Descriptor, RegExp][] = [
    [
      elsewhere,
      /^layer 1 of 1 \(.*\): is a foreign layer \(.*\), to be had from https:\/\/example\.com\/layer\\x1b/,
    ],
    [
      foreign,
      /is a foreign layer \(.*\), to be had from nowhere named: its blob blobs\/sha256\/\w+ is not in /,
    ],
    [
      { ...foreign, mediaType: `${OCI}.layer.v1.tar` },
      /^layer 1 of 1 \(.*\): its blob blobs\/sha256\/\w+ is not in /,
    ],
  ];
  for (const [stored, message] of refused) {
    const image = layout.image('kept', {}, { layers: [stored] });
    await assert.rejects(layout.open(t, [image]), { code: 'NOT_FOUND', message });
  }
});

test('a foreign layer whose blob is there is a layer', async (t) => {
  const layout = new Layout();
  const { tar } = layer('a');
  const type = `${OCI}.layer.nondistributable.v1.tar`;
  const image = layout.image(
    'a',
    {},
    { layers: [layout.blob(type, tar, { urls: ['https://example.com'] })] },
  );
  assert.deepEqual(await paths(await layout.open(t, [image]), session(t)), [['a']]);
});

test('encrypted layers and layers that are no tar are refused by name', async (t) => {
  const layout = new Layout();
  const refused: [string, RegExp][] = [
    [`${OCI}.layer.v1.tar+gzip+encrypted`, /^layer 1 of 2 \(.*\): is encrypted/],
    [
      'application/vnd.example.squashfs',
      /^layer 1 of 2 \(.*\): is no tar but application\/vnd\.example\.squashfs$/,
    ],
  ];
  for (const [type, message] of refused) {
    const tars = [layer('a').tar, layer('b').tar];
    const layers = [layout.blob(type, tars[0]!), layout.blob(`${OCI}.layer.v1.tar`, tars[1]!)];
    const image = layout.image('a', {}, { config: layout.config(tars), layers });
    await assert.rejects(layout.open(t, [image]), { code: 'UNSUPPORTED', message });
  }
});

test('a blob may be in its descriptor', async (t) => {
  const layout = new Layout();
  const carried = (descriptor: Descriptor): Descriptor => {
    const data = layout.files.get(`blobs/${descriptor.digest.replace(':', '/')}`)!.toString('base64');
    layout.drop(descriptor);
    return { ...descriptor, data };
  };
  const { tar } = layer('a');
  const config = carried(layout.config([tar]));
  const stored = carried(layout.blob(`${OCI}.layer.v1.tar`, tar));
  const image = carried(layout.blob(`${OCI}.manifest.v1+json`, { config, layers: [stored] }));
  assert.deepEqual(await paths(await layout.open(t, [image]), session(t)), [['a']]);
  await assert.rejects(layout.open(t, [{ ...image, data: Buffer.from('{}').toString('base64') }]), {
    code: 'DIGEST_MISMATCH',
  });
});

test('a layout that holds one of the platforms its index lists', async (t) => {
  const layout = new Layout();
  const gone = layout.image('gone', on(host));
  layout.drop(gone);
  const here = layout.image('here', on(other));
  const list = layout.index([gone, here], named('a'));
  assert.deepEqual(await paths(await layout.open(t, [list]), session(t)), [['here']]);
  await assert.rejects(layout.open(t, [list], { platform: linuxOn(process.arch) }), {
    code: 'NOT_FOUND',
    message: /^manifest sha256:\w+: is not in /,
  });
});

test('a broken descriptor does not hide the sound ones', async (t) => {
  const layout = new Layout();
  const image = layout.image('a', on(host));
  assert.equal((await layout.open(t, [{ ...image, digest: '' }, image])).layers.length, 1);
  await assert.rejects(layout.open(t, [{ ...image, digest: '' }]), {
    code: 'BAD_IMAGE',
    message: 'index.json.manifests[0].digest: "" is not a sha256 or sha512 digest',
  });
});

test('layer counts that differ are both named', async (t) => {
  const layout = new Layout();
  const image = layout.image('a', {}, { config: layout.config([]) });
  await assert.rejects(layout.open(t, [image]), {
    code: 'BAD_IMAGE',
    message: `manifest ${image.digest}: lists 1 layer, its config 0 layers`,
  });
});

test('nesting and count of indexes are bounded', async (t) => {
  const layout = new Layout();
  let nested = layout.image('a');
  for (let depth = 0; depth < 20; depth++) nested = layout.index([nested]);
  await assert.rejects(layout.open(t, [nested]), { code: 'LIMIT', message: /nested more than 8 deep/ });
  let wide = layout.image('a');
  for (let depth = 0; depth < 5; depth++) wide = layout.index(Array.from({ length: 50 }, () => wide));
  await assert.rejects(layout.open(t, [wide]), {
    code: 'LIMIT',
    message: /leads to more than 10000 manifests/,
  });
});

test('a directory whose links lead out of it is refused', async (t) => {
  const directory = scratch(t);
  const files = ociFiles(stack);
  const blob = [...files.keys()].find((path) => path.startsWith('blobs/'))!;
  const outside = join(scratch(t), 'outside');
  writeFileSync(outside, files.get(blob)!);
  files.delete(blob);
  writeFiles(directory, files);
  symlinkSync(outside, join(directory, blob));
  await assert.rejects(open(t, directory), { code: 'BAD_IMAGE', message: /leads out of / });
});

test('oci: reads index.json and docker-archive: manifest.json where an archive has both', async (t) => {
  const files = new Map([...ociFiles([layer('oci')]), ...dockerFiles([layer('docker')], '25')]);
  const path = put(t, tarOf(files));
  assert.deepEqual(await paths(await open(t, `oci-archive:${path}`), session(t)), [['oci']]);
  assert.deepEqual(await paths(await open(t, `docker-archive:${path}:test:latest`), session(t)), [
    ['docker'],
  ]);
});

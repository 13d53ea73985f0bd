import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readConfig, readV1Config } from '../../src/oci/config.js';
import { readDescriptor } from '../../src/oci/descriptor.js';
import { isAttestation, namesOf, readIndex } from '../../src/oci/image-index.js';
import { Json } from '../../src/oci/json.js';
import { artifactKind, readManifest } from '../../src/oci/manifest.js';
import { isForeignType, isLayerType } from '../../src/oci/media-type.js';

const digest = `sha256:${'0123456789abcdef'.repeat(4)}`;
const oci = 'application/vnd.oci.image';
const docker = 'application/vnd.docker';
const config = { mediaType: `${oci}.config.v1+json`, digest, size: 2 };
const layer = { mediaType: `${oci}.layer.v1.tar+gzip`, digest, size: 3 };
const manifest = (value: unknown) => readManifest(new Json(value, 'manifest'));

test('a manifest with a field missing or wrong names it', () => {
  const wrong: [unknown, RegExp][] = [
    [{ layers: [] }, /^FlattenError: manifest\.config: missing$/],
    [{ config: { ...config, digest: 7 }, layers: [] }, /manifest\.config\.digest: 7 is not a sha256/],
    [
      { config, layers: [layer, layer, { ...layer, digest: undefined }] },
      /manifest\.layers\[2\]\.digest: missing/,
    ],
    [{ config, layers: [{ ...layer, size: -1 }] }, /manifest\.layers\[0\]\.size: -1 is not a whole number/],
    [{ config, layers: [{ ...layer, urls: 'x' }] }, /manifest\.layers\[0\]\.urls: "x" is not an array/],
    [{ config, layers: [{ ...layer, data: '?' }] }, /manifest\.layers\[0\]\.data: is not base64/],
    [{ config, layers: {} }, /manifest\.layers: an object is not an array/],
    [[], /manifest: an array is not an object/],
  ];
  for (const [value, message] of wrong) assert.throws(() => manifest(value), message);
});

test('what could be a manifest and an index is refused', () => {
  const both = new Json({ config, layers: [layer], manifests: [layer] }, 'both');
  assert.throws(() => readManifest(both), /both: has both layers and manifests/);
  assert.throws(() => readIndex(both), /both: has both layers and manifests/);
});

test("Docker's schema 1 is refused by name", () => {
  assert.throws(() => manifest({ schemaVersion: 1, fsLayers: [] }), {
    code: 'UNSUPPORTED',
    message: /schema 1/,
  });
});

test('an image is told from other things that travel as manifests', () => {
  const kind = (value: object) => artifactKind(manifest({ config, layers: [layer], ...value }));
  assert.equal(kind({}), undefined);
  assert.equal(kind({ config: { ...config, mediaType: `${docker}.container.image.v1+json` } }), undefined);
  assert.equal(kind({ layers: null }), undefined);
  assert.equal(
    kind({ layers: [{ ...layer, mediaType: `${docker}.image.rootfs.diff.tar.gzip` }] }),
    undefined,
  );
  const helm = 'application/vnd.cncf.helm.config.v1+json';
  assert.equal(kind({ config: { ...config, mediaType: helm } }), helm);
  const signature = 'application/vnd.dev.cosign.simplesigning.v1+json';
  assert.equal(kind({ layers: [{ ...layer, mediaType: signature }] }), signature);
  const empty = { ...config, mediaType: 'application/vnd.oci.empty.v1+json' };
  assert.equal(kind({ config: empty, artifactType: 'application/sbom' }), 'application/sbom');
});

test('layers are known by type, whoever wrote it', () => {
  const layers = ['layer.v1.tar', 'layer.v1.tar+zstd', 'layer.nondistributable.v1.tar+gzip'].map(
    (x) => `${oci}.${x}`,
  );
  layers.push(
    `${docker}.image.rootfs.foreign.diff.tar.gzip`,
    'application/tar+gzip',
    'application/octet-stream',
    '',
  );
  for (const type of layers) assert.equal(isLayerType(type), true, type);
  for (const type of ['application/vnd.in-toto+json', 'application/target', 'text/plain']) {
    assert.equal(isLayerType(type), false, type);
  }
  assert.deepEqual(layers.filter(isForeignType).length, 2);
});

test('attestations are known by annotation and by platform', () => {
  const attestation = (value: object) => isAttestation(readDescriptor(new Json({ ...layer, ...value }, 'd')));
  assert.equal(attestation({ annotations: { 'vnd.docker.reference.type': 'attestation-manifest' } }), true);
  assert.equal(attestation({ platform: { os: 'unknown', architecture: 'unknown' } }), true);
  assert.equal(attestation({ platform: { os: 'linux', architecture: 'unknown' } }), false);
  assert.equal(attestation({ annotations: null, platform: null }), false);
});

test('an index gives names, of which a null list has none', () => {
  const annotations = {
    'org.opencontainers.image.ref.name': '1.0',
    'io.containerd.image.name': 'app:1.0',
    other: 7,
  };
  assert.deepEqual(namesOf(readDescriptor(new Json({ ...layer, annotations }, 'd'))), ['app:1.0', '1.0']);
  assert.deepEqual(readIndex(new Json({ manifests: null }, 'index')), []);
  assert.throws(() => readIndex(new Json({}, 'index')), /index\.manifests: missing/);
});

test('a config keeps every field, and what is read of it is checked', () => {
  const whole = {
    os: 'linux',
    architecture: 'aarch64',
    variant: 'v8',
    'com.example.unknown': { deep: [1, null] },
    config: { Env: ['A=1'], StopSignal: null },
    rootfs: { type: 'layers', diff_ids: [digest] },
  };
  const read = readConfig(new Json(whole, 'config'));
  assert.deepEqual(read.json, whole);
  assert.deepEqual(read.diffIDs, [digest]);
  assert.deepEqual(read.platform, { os: 'linux', architecture: 'arm64' });
  const wrong: [object, RegExp][] = [
    [{ rootfs: undefined }, /config\.rootfs: missing/],
    [{ rootfs: { diff_ids: [] } }, /config\.rootfs\.type: missing/],
    [{ rootfs: { type: 'base', diff_ids: [] } }, /config\.rootfs\.type: "base" is not "layers"/],
    [{ rootfs: { type: 'layers', diff_ids: ['x'] } }, /config\.rootfs\.diff_ids\[0\]: "x" is not a sha256/],
    [{ config: [] }, /config\.config: an array is not an object/],
    [{ history: [7] }, /config\.history\[0\]: 7 is not an object/],
    [{ os: 7 }, /config\.os: 7 is not a string/],
  ];
  for (const [change, message] of wrong) {
    assert.throws(() => readConfig(new Json({ ...whole, ...change }, 'config')), {
      code: 'BAD_IMAGE',
      message,
    });
  }
  assert.equal(readV1Config(new Json({ id: 'x' }, 'json')).platform, undefined);
});

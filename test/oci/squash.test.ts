import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseChanges } from '../../src/oci/change.js';
import { readConfig } from '../../src/oci/config.js';
import type { Digest } from '../../src/oci/digest.js';
import { Json } from '../../src/oci/json.js';
import { type Squash, squashConfig } from '../../src/oci/squash.js';
import { assertValid } from '../support/oci-schema.js';

const id = (digit: string): Digest => `sha256:${digit.repeat(64)}`;

/** Everything that config.md knows, what Docker adds, and what nobody knows. */
const CONFIG = {
  created: '2020-01-02T03:04:05.678Z',
  author: 'Ada',
  architecture: 'arm',
  variant: 'v7',
  os: 'linux',
  'os.features': ['x'],
  container: 'abc',
  container_config: { Cmd: ['/bin/sh', '-c', '#(nop) CMD'] },
  docker_version: '20.10.0',
  'x-unknown': { deep: [1, 'two', null] },
  config: {
    Hostname: '',
    User: 'web',
    ExposedPorts: { '80/tcp': {} },
    Env: ['PATH=/bin', 'A=1'],
    Cmd: ['x'],
    ArgsEscaped: true,
    Image: 'sha256:abc',
    Volumes: null,
    WorkingDir: '/srv',
    Entrypoint: ['/init'],
    OnBuild: ['RUN y'],
    Labels: { a: 'b' },
    StopSignal: 'SIGINT',
    Healthcheck: { Test: ['CMD', 'true'], Interval: 30_000_000_000 },
    Shell: ['/bin/bash', '-c'],
    'x-inner': 7,
  },
  rootfs: { type: 'layers', diff_ids: [id('1'), id('2'), id('3')] },
  history: [
    { created_by: 'one' },
    { created_by: 'env', empty_layer: true },
    { created_by: 'two' },
    { created_by: 'three' },
    { created_by: 'cmd', empty_layer: true },
  ],
};

const SQUASH: Squash = {
  diffIDs: [id('9')],
  kept: 0,
  layers: 3,
  createdBy: 'flatten: 3 layers',
  createdElse: () => '1999-01-01T00:00:00Z',
  platform: { os: 'linux', architecture: 'amd64' },
  changes: [],
};

function squash(config: object, over: Partial<Squash> = {}): Record<string, unknown> {
  const source = readConfig(new Json(config, 'config'));
  const json = squashConfig(source, { ...SQUASH, ...over }).toText().value as Record<string, unknown>;
  assertValid('config', json);
  return json;
}

test('every field stays as it was and where it was, but rootfs and history', () => {
  const after = squash(CONFIG);
  assert.deepEqual(after, {
    ...CONFIG,
    rootfs: { type: 'layers', diff_ids: [id('9')] },
    history: [{ created: CONFIG.created, created_by: 'flatten: 3 layers' }],
  });
  assert.deepEqual(Object.keys(after), Object.keys(CONFIG));
  assert.deepEqual(Object.keys(after.config as object), Object.keys(CONFIG.config));
});

test('what is asked for is set: time, author, message, changes', () => {
  const after = squash(CONFIG, {
    created: '2001-01-01T00:00:00Z',
    author: 'Grace',
    message: 'smaller',
    changes: parseChanges(['USER root', 'LABEL c=d']),
  });
  assert.equal(after.created, '2001-01-01T00:00:00Z');
  assert.equal(after.author, 'Grace');
  assert.equal(after.comment, 'smaller');
  assert.deepEqual(after.config, { ...CONFIG.config, User: 'root', Labels: { a: 'b', c: 'd' } });
  assert.deepEqual(after.history, [
    {
      created: '2001-01-01T00:00:00Z',
      created_by: 'flatten: 3 layers',
      author: 'Grace',
      comment: 'smaller',
    },
  ]);
});

test('kept layers keep their history; a history of other layers says nothing of them', () => {
  const kept = { diffIDs: [id('1'), id('2'), id('9')], kept: 2, createdBy: 'flatten: layers 3 to 3' };
  const entry = { created: CONFIG.created, created_by: 'flatten: layers 3 to 3' };
  assert.deepEqual(squash(CONFIG, kept).history, [...CONFIG.history.slice(0, 3), entry]);
  const unknown = { created_by: 'unknown' };
  const strange = { ...CONFIG, history: CONFIG.history.slice(2) };
  assert.deepEqual(squash(strange, kept).history, [unknown, unknown, entry]);
});

test('a bare rootfs gets a config from nothing', () => {
  const json = squashConfig(undefined, {
    ...SQUASH,
    platform: { os: 'linux', architecture: 'arm', variant: 'v7' },
    changes: parseChanges(['CMD ["/init"]']),
  }).toText().value;
  assertValid('config', json);
  assert.deepEqual(json, {
    created: '1999-01-01T00:00:00Z',
    architecture: 'arm',
    os: 'linux',
    variant: 'v7',
    config: { Cmd: ['/init'] },
    rootfs: { type: 'layers', diff_ids: [id('9')] },
    history: [{ created: '1999-01-01T00:00:00Z', created_by: 'flatten: 3 layers' }],
  });
});

test('a config without a platform gets one; null and missing parts become what they must be', () => {
  const after = squash({ rootfs: { type: 'layers', diff_ids: [] }, config: null, created: null });
  assert.equal(after.os, 'linux');
  assert.equal(after.architecture, 'amd64');
  assert.equal(after.created, '1999-01-01T00:00:00Z');
  assert.deepEqual(after.config, {});
});

test('a field in another case does not live on beside the new one', () => {
  const { rootfs, history, ...rest } = CONFIG;
  const after = squash({ ...rest, RootFS: rootfs, History: history });
  const names = Object.keys(after).filter((name) => /^(rootfs|history)$/i.test(name));
  assert.deepEqual(names.sort(), ['history', 'rootfs']);
});

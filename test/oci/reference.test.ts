import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestFits, digestWanted, nameFit } from '../../src/oci/reference.js';

test('a name fits whole, without its tag, or without its front, in this order', () => {
  const wanted = ['host:5000/team/app:latest', 'host:5000/team/app', 'team/app:latest', 'app:latest', 'app'];
  const fits = wanted.map((name) => nameFit(name, 'host:5000/team/app:latest'));
  assert.ok(fits.every((fit) => fit !== undefined));
  assert.equal(fits[0], 0);
  assert.ok(fits[1]! < fits[2]!);
  assert.ok(nameFit('app', 'app:latest')! < nameFit('app', 'app:1.0')!);
});

test('other images do not fit', () => {
  for (const wanted of ['pp', 'app:1', 'ap', 'eam/app', 'app:latest/', 'host', 'latest']) {
    assert.equal(nameFit(wanted, 'host:5000/team/app:latest'), undefined, wanted);
  }
  assert.equal(nameFit('host', 'host:5000/app'), undefined);
});

test('a bare tag is a name, and so is a name with a digest', () => {
  assert.equal(nameFit('1.0', '1.0'), 0);
  assert.equal(nameFit('1.0', '1.1'), undefined);
  assert.notEqual(nameFit('app', 'app@sha256:0123'), undefined);
});

test('a digest is found in whatever people paste', () => {
  const digits = '0123456789abcdef'.repeat(4);
  for (const text of [`sha256:${digits}`, `app@sha256:${digits}`, digits]) {
    assert.equal(digestWanted(text), `sha256:${digits}`);
  }
  assert.equal(digestWanted('sha256:0123456789ab…'), 'sha256:0123456789ab');
  assert.equal(digestWanted('0123456789ab'), 'sha256:0123456789ab');
  assert.equal(digestWanted('0123456789a'), undefined);
  assert.equal(digestWanted('app:latest'), undefined);
  assert.equal(digestFits('sha256:0123', `sha256:${digits}`), true);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FlattenError } from '../../src/errors.js';
import { formatPlatform, linuxOn, parsePlatform } from '../../src/oci/platform.js';
import { type Candidate, choose } from '../../src/sources/choose.js';

const digest = (digit: string): `sha256:${string}` => `sha256:${digit.repeat(64)}`;
const host = formatPlatform(linuxOn(process.arch));
const other = host === 'linux/s390x' ? 'linux/amd64' : 'linux/s390x';

function one(name: string, digit: string, platform?: string, more: Partial<Candidate> = {}): Candidate {
  const parsed = platform === undefined ? undefined : parsePlatform(platform);
  return {
    names: name === '' ? [] : [name],
    digests: [digest(digit)],
    ...(parsed && { platform: parsed }),
    ...more,
  };
}

const pick = (candidates: Candidate[], choice: { image?: string; platform?: string } = {}) =>
  choose(
    candidates,
    {
      ...(choice.image && { image: choice.image }),
      ...(choice.platform && { platform: parsePlatform(choice.platform) }),
    },
    'image.tar',
  );

test('the only image is taken, of whatever platform', () => {
  assert.equal(pick([one('a:1', '1', other)]).names[0], 'a:1');
  assert.equal(pick([one('', '1')]).digests[0], digest('1'));
});

test('but not when another platform was asked for', () => {
  assert.throws(() => pick([one('a:1', '1', other)], { platform: host }), {
    code: 'NOT_FOUND',
    message: `image.tar: holds no image for ${host}`,
    hint: new RegExp(`a:1 {2}sha256:111111111111… {2}${other}`),
  });
});

test("of several, the one for this machine's platform is taken", () => {
  assert.equal(pick([one('', '1', other), one('', '2', host)]).digests[0], digest('2'));
  assert.equal(pick([one('', '1', other), one('', '2', host)], { platform: other }).digests[0], digest('1'));
});

test('of several variants of one name, the newest that runs; of two names, neither', () => {
  const variants = ['v5', 'v6', 'v7'].map((variant, index) => one('a', `${index}`, `linux/arm/${variant}`));
  assert.equal(pick(variants, { platform: 'linux/arm/v7' }).digests[0], digest('2'));
  assert.equal(pick(variants, { platform: 'linux/arm/v6' }).digests[0], digest('1'));
  assert.throws(() => pick([...variants, one('b', '5', 'linux/arm/v5')], { platform: 'linux/arm/v7' }), {
    code: 'AMBIGUOUS',
    message: 'image.tar: 2 images may be meant',
  });
});

test('an ambiguous choice lists what there is, sorted and within twenty lines', () => {
  const many = Array.from({ length: 50 }, (_, index) => one(`image:${99 - index}`, 'a', host));
  const distinct = many.map((candidate, index) => ({
    ...candidate,
    digests: [`sha256:${`${index}`.padStart(64, '0')}`] as const,
  }));
  assert.throws(
    () => pick(distinct as unknown as Candidate[]),
    (error: FlattenError) => {
      const lines = error.hint!.split('\n');
      assert.equal(error.code, 'AMBIGUOUS');
      assert.equal(lines.length, 22);
      assert.match(lines[1]!, /image:50 /);
      assert.match(lines[21]!, /… and 30 more/);
      return true;
    },
  );
});

test('several names of one digest are one image', () => {
  const image = pick([one('a:1', '1', host), one('b:2', '1', host)]);
  assert.deepEqual(image.names, ['a:1', 'b:2']);
});

test('names and digests choose; the better fit wins; what is not there is said', () => {
  const images = [one('team/app:1', '1', host), one('app:1', '2', host), one('app:latest', '3', host)];
  assert.equal(pick(images, { image: 'app:1' }).digests[0], digest('2'));
  assert.equal(pick(images, { image: 'team/app:1' }).digests[0], digest('1'));
  assert.equal(pick(images, { image: 'app' }).digests[0], digest('3'));
  assert.equal(pick(images, { image: digest('1') }).digests[0], digest('1'));
  assert.equal(pick(images, { image: '222222222222' }).digests[0], digest('2'));
  assert.throws(() => pick(images, { image: 'nope' }), { code: 'NOT_FOUND', hint: /app:1/ });
});

test('what is hidden is passed over, and named when it is asked for', () => {
  const error = new FlattenError('UNSUPPORTED', `${digest('9')}: is an attestation, no image`);
  const hidden = one('', '9', undefined, { hidden: true, error });
  assert.equal(pick([hidden, one('a', '1', other)]).names[0], 'a');
  assert.throws(() => pick([hidden, one('a', '1', other)], { image: digest('9') }), error);
  assert.throws(() => pick([hidden]), error);
  assert.throws(() => pick([hidden, { ...hidden, digests: [digest('8')] }]), {
    code: 'NOT_FOUND',
    hint: /is an attestation, no image/,
  });
  assert.throws(() => pick([]), { code: 'NOT_FOUND', message: 'image.tar: holds no image' });
});

test('a broken image fails only when it is the one that is meant', () => {
  const error = new FlattenError('BAD_IMAGE', 'config.rootfs: missing');
  const broken = one('b', '2', other, { error });
  assert.equal(pick([one('a', '1', host), broken]).names[0], 'a');
  assert.throws(() => pick([one('a', '1', host), broken], { image: 'b' }), error);
});

test('an image that is left out is said to be, when its platform is asked for', () => {
  const error = new FlattenError('NOT_FOUND', 'manifest: is not in image.tar');
  const absent = one('a', '2', other, { hidden: true, error });
  assert.equal(pick([one('a', '1', host), absent]).digests[0], digest('1'));
  assert.throws(() => pick([one('a', '1', host), absent], { platform: other }), error);
});

test('very many names are no trouble', () => {
  const names = Array.from({ length: 300_000 }, (_, index) => `n:${index}`);
  assert.equal(pick([{ ...one('', '1'), names }], { image: 'n:299999' }).digests[0], digest('1'));
});

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { MAX_MAJOR, MAX_MINOR } from '../../src/disk/device.js';
import { uuidBytes, uuidOf } from '../../src/disk/identity.js';
import { aclFromDisk, aclToDisk } from '../../src/ext/structures/acl.js';
import { hasSuperblock } from '../../src/ext/structures/descriptor.js';
import { decodeDevice, encodeDevice } from '../../src/ext/structures/device.js';
import { hashName, hashSeed } from '../../src/ext/structures/hash.js';
import { decodeTime, encodeTime, isStorable } from '../../src/ext/structures/time.js';
import { needs } from '../support/needs.js';
import { scratch } from '../support/scratch.js';
import { runs } from '../support/stacks.js';
import { imageIn, tool, writeExt } from './images.js';
import { ACL } from './specimen.js';
import { TreeBuilder } from './tree-builder.js';

suite('on-disk structures', () => {
  test('times from 1901 to 2310 come back as they were', () => {
    const time = fc.bigInt({ min: -(2n ** 31n) * 10n ** 9n, max: 10_737_418_240n * 10n ** 9n - 1n });
    fc.assert(
      fc.property(time, (time) => {
        assert.ok(isStorable(time));
        assert.equal(decodeTime(encodeTime(time)), time);
      }),
      runs(1_000),
    );
    assert.deepEqual(encodeTime(-1n), { seconds: -1, extra: (999_999_999 << 2) >>> 0 });
    assert.deepEqual(encodeTime(2n ** 31n * 10n ** 9n), { seconds: -(2 ** 31), extra: 1 });
  });

  test('a time out of range becomes the nearest in it', () => {
    for (const [time, kept] of [
      [-(10n ** 30n), -(2n ** 31n) * 10n ** 9n],
      [10n ** 30n, 10_737_418_240n * 10n ** 9n - 1n],
    ] as const) {
      assert.equal(isStorable(time), false);
      assert.equal(decodeTime(encodeTime(time)), kept);
    }
  });

  test('device numbers come back as they were', () => {
    const device = fc.tuple(fc.integer({ min: 0, max: MAX_MAJOR }), fc.integer({ min: 0, max: MAX_MINOR }));
    fc.assert(
      fc.property(device, ([major, minor]) => {
        assert.deepEqual(decodeDevice(...encodeDevice(major, minor)), { major, minor });
      }),
      runs(1_000),
    );
    assert.deepEqual(encodeDevice(259, 70_000), [0, 0x11110370]);
  });

  test('an ACL changes its form and comes back; anything else is told from one', () => {
    const disk = Buffer.from('0100000001000700020005' + '0087d6120004000500100007002000' + '0000', 'hex');
    assert.deepEqual(aclToDisk(ACL), disk);
    assert.deepEqual(aclFromDisk(disk), ACL);
    assert.equal(aclToDisk(ACL.subarray(1)), undefined);
    assert.equal(aclToDisk(Buffer.from('02000000' + '4000000000000000', 'hex')), undefined);
    assert.equal(aclFromDisk(disk.subarray(0, -1)), undefined);
  });

  test('superblocks lie in groups 0, 1 and powers of 3, 5 and 7', () => {
    const groups = Array.from({ length: 400 }, (_, group) => group).filter(hasSuperblock);
    assert.deepEqual(groups, [0, 1, 3, 5, 7, 9, 25, 27, 49, 81, 125, 243, 343]);
  });

  test('a UUID of a digest is of version 8; text that is none is told', () => {
    const uuid = uuidOf(Buffer.alloc(32, 0xff));
    assert.equal(uuid, 'ffffffff-ffff-8fff-bfff-ffffffffffff');
    assert.equal(uuidBytes(uuid)!.toString('hex'), uuid.replaceAll('-', ''));
    assert.equal(uuidBytes(`${uuid}0`), undefined);
  });

  test('names hash as debugfs has it', { skip: needs('debugfs', 'mke2fs') }, async (t) => {
    const uuid = '01234567-89ab-cdef-0123-456789abcdef';
    const image = imageIn(scratch(t), 'ext3');
    await writeExt(new TreeBuilder(t).finish(), image, { format: 'ext3', uuid });
    const names = ['a', 'ab', 'abc', 'abcd', 'n'.repeat(31), 'n'.repeat(32), 'n'.repeat(33), 'x'.repeat(255)];
    const seed = hashSeed(uuidBytes(uuid)!);
    for (const name of names) {
      const said = tool('debugfs', '-R', `dx_hash -h half_md4 -s ${uuid} ${name}`, image);
      const [, hash] = /is (0x[0-9a-f]+) /.exec(said)!;
      assert.equal(hashName(name, seed), Number(hash), join('hash of', name));
    }
  });
});

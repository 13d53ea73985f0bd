/**
 * Images of real archives that nobody has a listing of: most are broken on purpose, and must end in a FlattenError.
 * Where we give a tree all the same, it must be that of a script that unpacks the layers with GNU tar.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FlattenError } from '../../src/errors.js';
import { lines, type Row } from '../support/listing.js';
import { needs } from '../support/needs.js';
import {
  choices,
  pathOf,
  type RealArchive,
  type RealImage,
  realArchives,
  realSuite,
} from '../support/real-images.js';
import { scratch } from '../support/scratch.js';
import { MEMORY } from '../support/sinks.js';
import { unpackByTar } from '../support/unpack-by-tar.js';

const NOBODY: RealImage = { tags: [], platform: null, umoci: null };

realSuite('real images: those that others refuse', () => {
  for (const archive of realArchives()) {
    const images = archive.images.length === 0 ? [NOBODY] : archive.images;
    if (images.every(({ expected }) => expected)) continue;
    test(archive.file, { skip: needs('root', 'tar', 'getfattr') }, async (t) => {
      const directory = scratch(t);
      const chosen = archive.images.length === 0 ? [] : choices(archive, directory);
      for (const [index, image] of images.entries()) {
        // From Docker 25 on an archive has two descriptions of its images, and we read the first.
        const isSecond = index > 0 && archive.format.startsWith('docker>=25');
        if (image.expected === undefined && !isSecond)
          await refusedOrBetter(archive, image, chosen[index], t.diagnostic.bind(t), directory);
      }
    });
  }
});

async function refusedOrBetter(
  archive: RealArchive,
  image: RealImage,
  choice: string | undefined,
  say: (text: string) => void,
  directory: string,
): Promise<void> {
  let rows: readonly Row[];
  try {
    rows = await MEMORY.list(pathOf(archive), directory, choice === undefined ? {} : { reference: choice });
  } catch (error) {
    assert.ok(error instanceof FlattenError, String((error as Error).stack));
    assert.notEqual(error.code, 'INTERRUPTED');
    return;
  }
  const reason = whyBetter(archive, image);
  assert.ok(reason, `image ${choice} of ${archive.file} gives a tree, and no reason is known`);
  say(`${choice ?? 'the image'}: a tree all the same: ${reason}`);
  assert.deepEqual(comparable(rows), byTar(archive, choice, directory));
}

const unpacked = new Map<string, string[]>();

/** What GNU tar makes of an image; several archives hold the same ones, by their digests. */
function byTar(archive: RealArchive, choice: string | undefined, directory: string): string[] {
  const key = choice?.startsWith('sha256:') ? choice : archive.file;
  const listing = unpacked.get(key) ?? comparable(unpackByTar(archive, choice, directory));
  unpacked.set(key, listing);
  return listing;
}

/** Why we can do what others cannot, or were not asked to. */
function whyBetter({ format }: RealArchive, { umoci }: RealImage): string | undefined {
  if (format.startsWith('legacy v1')) return 'a v1 archive; docker loads it, and nothing unpacks it';
  if (umoci === null) return 'it has no tag, so umoci cannot be asked for it';
  if (umoci.includes('not implemented: application/vnd.docker')) {
    return "its manifest is of Docker's media type, which umoci does not read";
  }
  return undefined;
}

/** Directories that no layer has an entry for get the time of the unpacking from GNU tar. */
function comparable(rows: readonly Row[]): string[] {
  return lines(rows.map((row) => (row.kind === 'd' ? { ...row, mtime: 0n } : row)));
}

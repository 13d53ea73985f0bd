import assert from 'node:assert/strict';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { FlattenError } from '../../src/errors.js';
import { lines, rowOf } from './listing.js';
import { needs } from './needs.js';
import {
  choices,
  expectedLines,
  pathOf,
  type RealArchive,
  type RealImage,
  realArchives,
  realSuite,
} from './real-images.js';
import { scratch } from './scratch.js';
import type { TestSink } from './sinks.js';

/** Archives with images that others accept and we do not: what we say, and why. Without verification we give their tree. */
const ON_PURPOSE: Readonly<Record<string, string>> = Object.fromEntries(
  [
    'h-10876b00-integration__assets__oci-test-image__cloudfoundry.image.base-directory',
    'h-a4a02d78-integration__assets__oci-test-image__alpine',
    'integration__assets__oci-test-image__cloudfoundry.experimental.image.base-directory',
    'integration__assets__oci-test-image__hardlink',
  ].map((name) => [
    `cloudfoundry-grootfs--${name}.oci.tar`,
    'its config was edited and has no longer the size and digest in the manifest; umoci does not look',
  ]),
);

/** Set to 1, it makes every sink take every archive, also those that give a tree which another has given before. */
const EVERY = process.env.FLATTEN_EVERY_ARCHIVE === '1';

/**
 * A test for each archive with images that docker or umoci accept: each must give the tree that they give. With
 * `eachTreeOnce` images whose tree was there before are left out: for judges that take long and see nothing but the tree.
 */
export function realImagesThrough(sink: TestSink, { eachTreeOnce = false } = {}): void {
  realSuite(`real images: ${sink.name}`, () => {
    for (const archive of eachTreeOnce && !EVERY ? withNewTrees(realArchives()) : realArchives()) {
      const reason = ON_PURPOSE[archive.file];
      if (!archive.images.some(({ expected }) => expected)) continue;
      const name = reason === undefined ? archive.file : `${archive.file}: refused, since ${reason}`;
      test(name, { skip: needs(...sink.needs) }, async (t) => {
        const directory = scratch(t);
        if (reason !== undefined) await refusedUnlessUnverified(archive, sink, directory);
        else await everyImage(archive, sink, directory);
      });
    }
  });
}

/** Archives without the listings of images whose tree is that of an image before. */
function withNewTrees(archives: readonly RealArchive[]): RealArchive[] {
  const seen = new Set<string>();
  const isNew = (image: RealImage) => {
    const listing = expectedLines(image).join('\n');
    return !seen.has(listing) && seen.add(listing);
  };
  return archives.map((archive) => ({
    ...archive,
    images: archive.images.map((image) => {
      const { expected, ...rest } = image;
      return expected !== undefined && isNew(image) ? image : rest;
    }),
  }));
}

async function everyImage(archive: RealArchive, sink: TestSink, directory: string): Promise<void> {
  const chosen = choices(archive, directory);
  const output = join(directory, 'output');
  for (const [index, image] of archive.images.entries()) {
    if (image.expected === undefined) continue;
    mkdirSync(output);
    const choice = chosen[index] === undefined ? {} : { reference: chosen[index] };
    const listing = await listed(archive, sink, output, choice);
    assert.deepEqual(listing, expectedOf(image, sink), `image ${index} of ${archive.file}`);
    rmSync(output, { recursive: true });
  }
}

async function refusedUnlessUnverified(
  archive: RealArchive,
  sink: TestSink,
  directory: string,
): Promise<void> {
  const isMismatch = (error: unknown) => error instanceof FlattenError && error.code === 'DIGEST_MISMATCH';
  await assert.rejects(sink.list(pathOf(archive), directory), isMismatch);
  const listing = await listed(archive, sink, directory, { digests: false });
  assert.deepEqual(listing, expectedOf(archive.images[0]!, sink));
}

async function listed(
  archive: RealArchive,
  sink: TestSink,
  directory: string,
  options: Parameters<TestSink['list']>[2],
): Promise<string[]> {
  const rows = await sink.list(pathOf(archive), directory, options);
  return lines(sink.shows ? rows.map(sink.shows) : rows);
}

/** What an image must give by way of a sink. */
function expectedOf(image: RealImage, { holds }: TestSink): string[] {
  const expected = expectedLines(image);
  return holds ? lines(expected.map((line) => holds(rowOf(line)))) : expected;
}

import type { Context } from '../context.js';
import { FlattenError } from '../errors.js';
import { looksLikeImage } from './archive.js';
import { openDockerArchive, readSavedImages } from './docker-archive.js';
import { findV1Images, openV1 } from './docker-v1.js';
import type { Envelope } from './envelope.js';
import type { Choice, OpenedImage } from './image.js';
import { Blobs } from './oci-blobs.js';
import { openLayout, readLayout } from './oci-layout.js';
import { readSkopeoDirectory } from './skopeo-directory.js';
import type { Format } from './transport.js';

/** A way to read an envelope as an image. */
type Reading = (choice: Choice, context: Context) => readonly OpenedImage[];

/**
 * The ways in which an envelope can be read as images, best first: `manifest.json` of `docker save`, `index.json`,
 * `manifest.json` of skopeo's `dir:`, and where there is no `manifest.json`, `repositories`. None for a root filesystem, which may have files of these names too: what counts
 * is what is in them. Throws where the names at the top are all an image's, but none of the files is sound.
 */
export function readings(envelope: Envelope, format: Format): readonly Reading[] {
  const top = envelope.members.top();
  const tried: (Reading | FlattenError | undefined)[] = [];
  const isSaved = format === 'docker-archive' || format === 'any';
  if (isSaved) {
    const saved = sound(() => readSavedImages(envelope));
    tried.push(reading(saved, (images, choice) => [openDockerArchive(envelope, images, choice)]));
  }
  if (format === 'oci' || (format === 'any' && (top.has('blobs') || top.has('oci-layout')))) {
    const layout = sound(() => readLayout(envelope));
    tried.push(
      reading(layout, (index, choice, context) =>
        openLayout(new Blobs(envelope, context.digests), index, choice, context),
      ),
    );
  }
  if (format === 'dir' || format === 'any') {
    const copied = sound(() => readSkopeoDirectory(envelope));
    tried.push(
      reading(copied, ({ index, places }, choice, context) =>
        openLayout(new Blobs(envelope, context.digests, places), index, choice, context),
      ),
    );
  }
  if (isSaved && !top.has('manifest.json')) {
    const v1 = sound(() => findV1Images(envelope));
    tried.push(reading(v1, (images, choice) => [openV1(envelope, images, choice)]));
  }
  const usable = tried.filter((each) => typeof each === 'function');
  if (usable.length > 0 || (format === 'any' && !looksLikeImage(top))) return usable;
  throw tried.find((each) => each instanceof FlattenError) ?? unsound(envelope, format, top);
}

/** Opens what `choice` means by the first reading that leads to it: one image, or one for each platform. */
export function openBy(ways: readonly Reading[], choice: Choice, context: Context): readonly OpenedImage[] {
  const errors: FlattenError[] = [];
  // A `manifest.json` knows no platforms; an `index.json` beside it does.
  for (const way of choice.everyPlatform ? [...ways].reverse() : ways) {
    try {
      const images = way(choice, context);
      const [before] = errors;
      if (before?.code === 'BAD_IMAGE') {
        context.report({
          type: 'warning',
          code: 'MANIFEST_SKIPPED',
          message: `${before.message}; index.json is used instead`,
        });
      }
      return images;
    } catch (error) {
      if (!(error instanceof FlattenError) || !['NOT_FOUND', 'BAD_IMAGE'].includes(error.code)) throw error;
      errors.push(error);
    }
  }
  throw errors.find(({ code }) => code !== 'NOT_FOUND') ?? errors[errors.length - 1]!;
}

function sound<T>(read: () => T): T | FlattenError {
  try {
    return read();
  } catch (error) {
    if (error instanceof FlattenError) return error;
    throw error;
  }
}

function reading<T extends object>(
  found: T | FlattenError | undefined,
  open: (found: T, choice: Choice, context: Context) => readonly OpenedImage[],
): Reading | FlattenError | undefined {
  if (found === undefined || found instanceof FlattenError) return found;
  return (choice, context) => open(found, choice, context);
}

function unsound({ name }: Envelope, format: Format, top: ReadonlySet<string>): FlattenError {
  const missing = format === 'oci' || top.has('oci-layout') ? 'index.json' : 'manifest.json';
  return new FlattenError('BAD_IMAGE', `${name}: is no image: ${missing} is missing`);
}

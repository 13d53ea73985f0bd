import { type ImageSinkOptions, openImageWriter } from './image/writer.js';
import type { ImageOutput } from './output.js';
import type { Sink } from './sink.js';

export {
  type ImageSinkOptions,
  type ImageWriter,
  openImageWriter,
  type ParsedImageOptions,
} from './image/writer.js';

/**
 * Writes the tree as the one layer of an image, or on top of the layers of its source that are kept: a docker-archive, an
 * OCI layout or archive, or straight into an engine. The same input and options give the same bytes. A layer holds all
 * that a tree can say, but for what overlayfs keeps to itself; the artifact's digest is the image's. Beyond what every sink throws:
 * `UNSUPPORTED` for names that no layer can have, `TOOL` where an engine is missing or refuses.
 */
export function imageSink(output: ImageOutput, options: ImageSinkOptions): Sink {
  return {
    async write(flattened, context) {
      flattened.verified.catch(() => {});
      const writer = await openImageWriter(output, options, context);
      try {
        await writer.add(flattened, context);
        return await writer.publish();
      } finally {
        await writer.discard();
      }
    },
  };
}

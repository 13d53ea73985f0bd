import { flatten } from '../../src/flatten.js';
import { assertSound, imageIn, listByMount, listByReader } from '../ext/images.js';
import type { Row } from '../support/listing.js';
import { casesThrough } from '../support/run-cases.js';
import { realImagesThrough } from '../support/run-real-images.js';
import type { TestSink } from '../support/sinks.js';
import type { ExtFormat } from '../../src/ext/structures/features.js';

type Read = (image: string, format: ExtFormat) => Row[];

function through(format: ExtFormat, way: string, read: Read, ...needed: string[]): TestSink {
  return {
    name: `${format}, ${way}`,
    needs: ['mke2fs', ...needed],
    async list(input, directory, options) {
      const image = imageIn(directory, format);
      await flatten({ ...options, input, output: image });
      assertSound(image);
      return read(image, format);
    },
  };
}

casesThrough(through('ext3', 'mounted', listByMount, 'root', 'mount', 'getfattr'));
casesThrough(through('ext4', 'read by our reader', listByReader));
realImagesThrough(through('ext3', 'read by our reader', listByReader));

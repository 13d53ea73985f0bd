import assert from 'node:assert/strict';
import { flatten } from '../../src/flatten.js';
import { imageIn, listByMount, listByReader } from '../ext/images.js';
import { lines } from '../support/listing.js';
import { needs } from '../support/needs.js';
import { casesThrough } from '../support/run-cases.js';
import { realImagesThrough } from '../support/run-real-images.js';
import type { TestSink } from '../support/sinks.js';

const cannotMount = needs('root', 'mount', 'getfattr');

/** Read back by our own reader and, where this machine can mount, by the kernel. e2fsck has its say while it is written. */
const EXT3: TestSink = {
  name: cannotMount ? 'ext3, our reader only' : 'ext3',
  needs: ['mke2fs'],
  async list(input, directory, options) {
    const image = imageIn(directory, 'ext3');
    await flatten({ ...options, input, output: image });
    const rows = listByReader(image);
    if (!cannotMount) assert.deepEqual(lines(listByMount(image, 'ext3')), lines(rows));
    return rows;
  },
};

casesThrough(EXT3);
realImagesThrough(EXT3);

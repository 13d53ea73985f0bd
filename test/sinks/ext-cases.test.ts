import assert from 'node:assert/strict';
import { flatten } from '../../src/flatten.js';
import { imageIn, listByMount, listByReader } from '../ext/images.js';
import { lines } from '../support/listing.js';
import { needs } from '../support/needs.js';
import { casesThrough } from '../support/run-cases.js';
import { realImagesThrough } from '../support/run-real-images.js';
import type { TestSink } from '../support/sinks.js';

/** Read back by our own reader. e2fsck has its say while the image is written. */
const EXT3: TestSink = {
  name: 'ext3, read by us',
  needs: ['mke2fs'],
  async list(input, directory, options) {
    const image = imageIn(directory, 'ext3');
    await flatten({ ...options, input, output: image });
    return listByReader(image);
  },
};

const cannotMount = needs('root', 'mount', 'getfattr');

/** The same, and the kernel must see the same; without root there is only our word for it. */
const MOUNTED: TestSink = {
  ...EXT3,
  name: 'ext3, mounted',
  async list(input, directory, options) {
    const rows = await EXT3.list(input, directory, options);
    assert.deepEqual(lines(listByMount(imageIn(directory, 'ext3'), 'ext3')), lines(rows));
    return rows;
  },
};

casesThrough(cannotMount ? EXT3 : MOUNTED);
realImagesThrough(EXT3);

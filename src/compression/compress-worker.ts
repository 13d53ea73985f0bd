import { serve } from '../threads/serve.js';
import type { Block, Codec, CompressedBlock } from './block.js';
import { type CompressBlock, loadCodec } from './codecs.js';

const loaded = new Map<Codec, Promise<CompressBlock>>();

serve<Block, CompressedBlock>({
  async work({ codec, level, block, length }) {
    if (!loaded.has(codec)) loaded.set(codec, loadCodec(codec));
    const compress = await loaded.get(codec)!;
    return { bytes: compress(new Uint8Array(block, 0, length), level), block };
  },
  transfer: ({ bytes, block }) => [bytes.buffer, block],
});

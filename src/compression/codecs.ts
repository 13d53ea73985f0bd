import type { Codec } from './block.js';

/** Makes a gzip member or a zstd frame of a block. */
export type CompressBlock = (block: Uint8Array, level: number) => Uint8Array<ArrayBuffer>;

/** Where `scripts/codecs.mjs` puts the packages; TypeScript knows them by their names alone. */
const MODULES = {
  gzip: new URL('./wasm/libdeflate/index.js', import.meta.url),
  zstd: new URL('./wasm/@cloudpss/zstd/dist/wasm.js', import.meta.url),
} as const;

/**
 * Loads a codec: libdeflate (gzip) or libzstd, both as WebAssembly, so that every machine and Node version makes the same bytes.
 * What node:zlib makes differs between processors and versions.
 */
export async function loadCodec(codec: Codec): Promise<CompressBlock> {
  if (codec === 'gzip') {
    const { gzip }: typeof import('libdeflate') = await import(MODULES.gzip.href);
    return gzip as CompressBlock;
  }
  const { compress }: typeof import('@cloudpss/zstd/wasm') = await import(MODULES.zstd.href);
  return compress as CompressBlock;
}

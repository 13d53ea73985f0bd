/** How a stream can be compressed. */
export type Codec = 'gzip' | 'zstd';

/** How hard each can try, from 1 on: libdeflate's levels, and libzstd's. */
export const MAX_LEVEL: Readonly<Record<Codec, number>> = { gzip: 12, zstd: 19 };

/** A block to compress; its memory goes to the thread and comes back with the {@link CompressedBlock}. */
export interface Block {
  readonly codec: Codec;
  readonly level: number;
  readonly block: ArrayBuffer;
  /** Bytes of the block that count. */
  readonly length: number;
}

export interface CompressedBlock {
  /** A gzip member or a zstd frame. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly block: ArrayBuffer;
}

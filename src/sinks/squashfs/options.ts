import { FlattenError } from '../../errors.js';

/** How squashfs is compressed. */
export interface SquashfsOptions {
  /** `zstd`, `xz`, `lz4` or `gzip`; with zstd and gzip also a level, as `zstd:19`. Default `zstd`, of level 15. */
  readonly compression?: string;
  /** Bytes that are compressed together: a power of two from 4 KiB to 1 MiB. Default 128 KiB. */
  readonly blockSize?: number;
}

/** The highest level of each, and 0 for those that have none. Source: sqfstar -help. */
const LEVELS = { zstd: 22, xz: 0, lz4: 0, gzip: 9 } as const;
/** The option of a level. */
export const LEVEL = '-Xcompression-level';
const [LEAST_BLOCK, LARGEST_BLOCK] = [4096, 2 ** 20];

/** What sqfstar is told. Throws `USAGE` for what it would not take. */
export function sqfstarOptions({ compression = 'zstd', blockSize }: SquashfsOptions): string[] {
  return [
    '-comp',
    ...compressionOptions(compression),
    ...(blockSize === undefined ? [] : ['-b', blockOption(blockSize)]),
  ];
}

function compressionOptions(text: string): string[] {
  const [, kind = '', digits] = /^([a-z0-9]+)(?::(\d+))?$/.exec(text) ?? [];
  if (!Object.hasOwn(LEVELS, kind)) throw wrong(text, 'unknown');
  const highest = LEVELS[kind as keyof typeof LEVELS];
  if (digits === undefined) return kind === 'lz4' ? [kind, '-Xhc'] : [kind];
  const level = Number(digits);
  if (highest === 0) throw wrong(text, `${kind} has no levels`);
  if (level < 1 || level > highest) throw wrong(text, `${kind} has levels from 1 to ${highest}`);
  return [kind, LEVEL, `${level}`];
}

function wrong(text: string, what: string): FlattenError {
  return new FlattenError('USAGE', `{compression: ${text}}: ${what}`, {
    hint: 'squashfs takes zstd, xz, lz4 or gzip; zstd and gzip with a level, as {compression: zstd:19}',
  });
}

function blockOption(size: number): string {
  const isPower = Number.isInteger(Math.log2(size));
  if (isPower && size >= LEAST_BLOCK && size <= LARGEST_BLOCK) return `${size}`;
  throw new FlattenError('USAGE', `{blockSize: ${size}}: is no power of two from 4K to 1M`, {
    hint: '{blockSize: 128K} is the default',
  });
}

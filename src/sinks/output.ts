import { statSync } from 'node:fs';
import { FlattenError } from '../errors.js';
import type { ExtOptions } from './ext.js';
import type { ImageOptions } from './image.js';
import { IMAGE_FORMATS, isImageFormat, locateImage, transportOf } from './image/location.js';
import type { Sink, SinkOptions } from './sink.js';

/** The forms of output, as `--format` names them. */
export const FORMATS = [
  'directory',
  'tar',
  'tar.gz',
  'tar.zst',
  'ext2',
  'ext3',
  'ext4',
  ...IMAGE_FORMATS,
] as const;
export type Format = (typeof FORMATS)[number];

/** Which format a file name asks for, by its ending; the longest ending comes first. */
const ENDINGS: readonly (readonly [string, Format])[] = [
  ['.tar.gz', 'tar.gz'],
  ['.tgz', 'tar.gz'],
  ['.tar.zst', 'tar.zst'],
  ['.tzst', 'tar.zst'],
  ['.tar', 'tar'],
  ['.img', 'ext3'],
  ['.ext2', 'ext2'],
  ['.ext3', 'ext3'],
  ['.ext4', 'ext4'],
];

/** The format of an output: `--format` where given, else what the name says. Throws `USAGE` where it says nothing. */
export function formatOf(output: string, format?: string): Format {
  if (format !== undefined) {
    if ((FORMATS as readonly string[]).includes(format)) return format as Format;
    throw new FlattenError('USAGE', `--format ${format}: unknown`, { hint: `one of ${FORMATS.join(', ')}` });
  }
  const transport = transportOf(output);
  if (transport !== undefined) return transport;
  if (output === '-') return 'tar';
  if (output.endsWith('/') || isDirectory(output)) return 'directory';
  const ending = ENDINGS.find(([end]) => output.toLowerCase().endsWith(end));
  if (ending !== undefined) return ending[1];
  throw new FlattenError('USAGE', `${output}: the name does not say what to write`, {
    hint: `for a directory type -o ${output}/, else --format ${FORMATS.join('|')}`,
  });
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

/** Where an output lies: a path, `-` for standard output, undefined where it is no file. Throws `USAGE` where it makes no sense. */
export function pathOf(output: string, format: Format): string | undefined {
  return isImageFormat(format) ? locateImage(output, format).path : output;
}

/** What a disk image can be asked for; nothing of it makes sense elsewhere. */
export type DiskOptions = Omit<ExtOptions, 'format' | 'time' | 'digest'>;

/** Options of every format. */
export interface OutputOptions extends SinkOptions {
  readonly disk?: DiskOptions;
  readonly image?: ImageOptions;
  /** Seconds since 1970: when a disk image or an image says it was made. */
  readonly sourceDateEpoch?: number;
  /** Compute the digest of a disk image; the others always do. */
  readonly digest?: boolean;
}

/** The sink for an output. Only the code of the format asked for is loaded. */
export async function openSink(output: string, format: Format, options: OutputOptions): Promise<Sink> {
  if (isImageFormat(format)) {
    const { image, disk: _, ...common } = options;
    return (await import('./image.js')).imageSink(output, { ...common, ...image, format });
  }
  switch (format) {
    case 'directory':
      return (await import('./directory.js')).directorySink(output, options);
    case 'tar':
    case 'tar.gz':
    case 'tar.zst': {
      const compression = format === 'tar' ? 'none' : format === 'tar.gz' ? 'gzip' : 'zstd';
      return (await import('./tar.js')).tarSink(output, { ...options, compression });
    }
    default: {
      const { disk, sourceDateEpoch: time, ...common } = options;
      const ext = { ...common, ...disk, ...(time !== undefined && { time }), format };
      return (await import('./ext.js')).extSink(output, ext);
    }
  }
}

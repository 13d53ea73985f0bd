import { statSync } from 'node:fs';
import { FlattenError } from '../errors.js';
import type { ExtFormat } from '../ext/structures/features.js';
import type { PackKind } from '../layer/pack.js';
import type { ExtOptions } from './ext.js';
import { refuseForeign } from './foreign.js';
import { IMAGE_FORMATS, isImageFormat, locateImage, transportOf } from './image/location.js';
import type { ImageOptions } from './image.js';
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
  'ext2.gz',
  'ext3.gz',
  'ext4.gz',
  'ext2.zst',
  'ext3.zst',
  'ext4.zst',
  ...IMAGE_FORMATS,
] as const;
export type Format = (typeof FORMATS)[number];

const DISKS = [
  ['.img', 'ext3'],
  ['.ext2', 'ext2'],
  ['.ext3', 'ext3'],
  ['.ext4', 'ext4'],
] as const;

/** Which format a file name asks for, by its ending; the longest ending comes first. */
const ENDINGS: readonly (readonly [string, Format])[] = [
  ['.tar.gz', 'tar.gz'],
  ['.tgz', 'tar.gz'],
  ['.tar.zst', 'tar.zst'],
  ['.tzst', 'tar.zst'],
  ['.tar', 'tar'],
  ...DISKS.flatMap(([end, format]) => [
    [`${end}.gz`, `${format}.gz`] as const,
    [`${end}.zst`, `${format}.zst`] as const,
    [end, format] as const,
  ]),
];

/** The format of an output: `--format` where given, else what the name says. Throws `USAGE` where it says nothing. */
export function formatOf(output: string, format?: string): Format {
  refuseForeign(output);
  if (format !== undefined) {
    if ((FORMATS as readonly string[]).includes(format)) return fitting(output, format as Format);
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

/** A format that is given must be what a transport before the path stands for, or a form of it. */
function fitting(output: string, format: Format): Format {
  const transport = transportOf(output);
  if (transport === undefined || format === transport || format === `${transport}-v1`) return format;
  throw new FlattenError('USAGE', `--format ${format}: ${output} is in the format ${transport}`, {
    hint: `leave out --format, or name a path alone: -o ./${output} for a file of that name`,
  });
}

function isDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false; // what is wrong with it is said where it is used
  }
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
  /** Compute the digest of a file. Default: of a flat tar, since it is at hand as the bytes go by, but not of a disk image. */
  readonly digest?: boolean;
}

/** The sink for an output. Only the code of the format asked for is loaded. */
export async function openSink(output: string, form: Format, options: OutputOptions): Promise<Sink> {
  if (isImageFormat(form)) {
    const { image, disk: _, ...common } = options;
    return (await import('./image.js')).imageSink(output, { ...common, ...image, format: form });
  }
  switch (form) {
    case 'directory':
      return (await import('./directory.js')).directorySink(output, options);
    case 'tar':
    case 'tar.gz':
    case 'tar.zst': {
      const compression = form === 'tar' ? 'none' : form === 'tar.gz' ? 'gzip' : 'zstd';
      return (await import('./tar.js')).tarSink(output, { ...options, compression });
    }
    default: {
      const { disk, sourceDateEpoch: time, ...common } = options;
      const [format, compression] = diskOf(form);
      const ext = {
        ...common,
        ...disk,
        ...(time !== undefined && { time }),
        format,
        ...(compression && { compression }),
      };
      return (await import('./ext.js')).extSink(output, ext);
    }
  }
}

/** The formats of disk images, compressed or not. */
export type DiskFormat = Extract<Format, `ext${string}`>;

export function isDiskFormat(format: Format): format is DiskFormat {
  return format.startsWith('ext');
}

/** What a disk image's format says: the file system, and how the file is packed. */
export function diskOf(format: DiskFormat): [ExtFormat, PackKind | undefined] {
  const [name, packed] = format.split('.') as [ExtFormat, string | undefined];
  return [name, packed === undefined ? undefined : packed === 'gz' ? 'gzip' : 'zstd'];
}

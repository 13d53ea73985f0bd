import type { Codec } from '../compression/block.js';
import type { ExtFormat } from '../ext/ext.js';
import { IMAGE_FORMATS, type ImageFormat } from './image/location.js';

/** The formats of output, by name. */
export const FORMATS = [
  'directory',
  'tar',
  'tar.gz',
  'tar.zst',
  'cpio',
  'cpio.gz',
  'cpio.zst',
  'ext2',
  'ext3',
  'ext4',
  'ext2.gz',
  'ext3.gz',
  'ext4.gz',
  'ext2.zst',
  'ext3.zst',
  'ext4.zst',
  'erofs',
  'erofs.gz',
  'erofs.zst',
  'squashfs',
  'squashfs.gz',
  'squashfs.zst',
  ...IMAGE_FORMATS,
] as const;
export type Format = (typeof FORMATS)[number];

/** The formats of flat tars, compressed or not. */
export type TarFormat = Extract<Format, 'tar' | `tar.${string}`>;
/** The formats of cpio archives, compressed or not. */
export type CpioFormat = Extract<Format, 'cpio' | `cpio.${string}`>;
/** The formats of disk images, compressed or not. */
export type DiskFormat = Extract<Format, `ext${string}` | `erofs${string}` | `squashfs${string}`>;
/** The file systems of disk images. */
export type FileSystem = ExtFormat | 'erofs' | 'squashfs';

export function isFormat(name: string): name is Format {
  return (FORMATS as readonly string[]).includes(name);
}

export function isTarFormat(format: Format): format is TarFormat {
  return format.startsWith('tar');
}

export function isCpioFormat(format: Format): format is CpioFormat {
  return format.startsWith('cpio');
}

export function isImageFormat(format: Format): format is ImageFormat {
  return (IMAGE_FORMATS as readonly string[]).includes(format);
}

/** What a disk image's format says: the file system, and how the file is compressed. */
export function diskOf(format: DiskFormat): [FileSystem, Codec | undefined] {
  const [name, ending] = format.split('.') as [FileSystem, string | undefined];
  return [name, compressionOf(ending)];
}

/** How the file of a flat tar or a cpio archive is compressed. */
export function archiveCompression(format: TarFormat | CpioFormat): Codec | 'none' {
  return compressionOf(format.split('.')[1]) ?? 'none';
}

function compressionOf(ending: string | undefined): Codec | undefined {
  return ending === undefined ? undefined : ending === 'gz' ? 'gzip' : 'zstd';
}

/** Which format a file name asks for, by its ending; the longest ending comes first. */
const ENDINGS: readonly (readonly [string, Format])[] = [
  ['.tar.gz', 'tar.gz'],
  ['.tgz', 'tar.gz'],
  ['.tar.zst', 'tar.zst'],
  ['.tzst', 'tar.zst'],
  ['.tar', 'tar'],
  ['.cpio.gz', 'cpio.gz'],
  ['.cpio.zst', 'cpio.zst'],
  ['.cpio', 'cpio'],
  ...(
    [
      ['.img', 'ext3'],
      ['.ext2', 'ext2'],
      ['.ext3', 'ext3'],
      ['.ext4', 'ext4'],
      ['.erofs', 'erofs'],
      ['.squashfs', 'squashfs'],
      ['.sqfs', 'squashfs'],
    ] as const
  ).flatMap(([end, format]) => [
    [`${end}.gz`, `${format}.gz`] as const,
    [`${end}.zst`, `${format}.zst`] as const,
    [end, format] as const,
  ]),
];

/** The format that a file's name asks for; undefined where it asks for none. */
export function formatOfName(name: string): Format | undefined {
  return ENDINGS.find(([end]) => name.toLowerCase().endsWith(end))?.[1];
}

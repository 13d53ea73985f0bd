import { FlattenError } from './errors.js';
import type { FileSystem } from './sinks/format.js';
import { isPlainFile, isStream, type Output } from './sinks/output.js';
import { type SquashfsOptions, sqfstarOptions } from './sinks/squashfs/options.js';
import type { OpenedImage } from './sources/image.js';

/** What is asked for, as far as it may not fit. */
interface Asked {
  readonly platform?: string;
  readonly force?: boolean;
  readonly keepSetuid?: boolean;
  readonly verify?: boolean;
  readonly sha256?: boolean;
  readonly disk?: object;
  readonly image?: object;
  readonly configOut?: readonly { readonly path: string }[];
}

/** Throws `USAGE` for options that the output has no use for. */
export function refuseMisfits(options: Asked, output: Output): void {
  const { disk, image, verify, sha256, platform, force } = options;
  const { kind, format } = output;
  const isImage = kind === 'image';
  const streamed = output.path === '-' ? 'standard output' : output.text;
  if (sha256 && !isPlainFile(output)) {
    const hint = isImage ? { hint: "an image has a digest, which the program's last line says" } : {};
    throw new FlattenError('USAGE', '{sha256} is for outputs that are files and no images', hint);
  }
  if (verify && isStream(output))
    throw new FlattenError('USAGE', `{verify}: ${streamed} cannot be read back`);
  const isSquashfs = kind === 'disk' && output.filesystem === 'squashfs';
  if (verify && (kind === 'cpio' || isSquashfs))
    throw new FlattenError('USAGE', `{verify}: ${format} is not read back`, {
      hint: isSquashfs
        ? 'mount it, and verify the directory: {output: DIR}'
        : 'a flat tar of the same image can be: {output: image.tar}',
    });
  if (force && isStream(output))
    throw new FlattenError('USAGE', `{force}: ${streamed} is no file that could be replaced`, {
      ...(output.path === undefined && {
        hint: 'leave it out: a name that is there is moved to the new image, as docker push does',
      }),
    });
  if (options.keepSetuid && kind !== 'directory')
    throw misplaced({ keepSetuid: true }, 'directories', format);
  if (disk !== undefined && kind !== 'disk') throw misplaced(disk, 'disk images', format);
  if (disk !== undefined && 'verity' in disk && (disk.verity === '' || disk.verity === '-'))
    throw new FlattenError(
      'USAGE',
      `{verity: ${disk.verity}}: is no file that a hash tree could be written to`,
    );
  if (disk !== undefined && kind === 'disk') refuseStrange(disk, output.filesystem);
  if (image !== undefined && !isImage) throw misplaced(image, 'images', format);
  refuseTwice(options.configOut ?? []);
  if (platform !== 'all') return;
  if (!format.startsWith('oci') && format !== 'registry') {
    throw new FlattenError('USAGE', `{platform: all}: the output, ${format}, holds one`, {
      hint: '{output: oci:DIR}, {output: oci-archive:FILE} and {output: docker://NAME} hold one image for each platform',
    });
  }
  if (options.configOut?.length)
    throw new FlattenError('USAGE', '{configOut}: several images have several configs');
  if (verify) throw new FlattenError('USAGE', '{verify}: of several images none is read back');
}

/** What can be asked of file systems that nobody writes to. */
const OF_READ_ONLY = {
  erofs: new Set(['label', 'uuid', 'verity']),
  squashfs: new Set(['verity', 'squashfs']),
} as const;

function refuseStrange(disk: object & { readonly squashfs?: SquashfsOptions }, filesystem: FileSystem): void {
  if (filesystem === 'squashfs') sqfstarOptions(disk.squashfs ?? {});
  else if (disk.squashfs !== undefined) throw misplaced(disk.squashfs, 'squashfs', filesystem);
  if (filesystem !== 'erofs' && filesystem !== 'squashfs') return;
  const names = Object.keys(disk).filter((name) => !OF_READ_ONLY[filesystem].has(name));
  if (names.length === 0) return;
  throw new FlattenError(
    'USAGE',
    `${names.map((name) => `{${name}}`).join(', ')}: only for ext2, ext3 and ext4; an image of ${filesystem} is read-only, and as large as its tree`,
  );
}

function refuseTwice(files: readonly { readonly path: string }[]): void {
  const paths = files.map(({ path }) => path);
  const twice = paths.find((path, at) => paths.indexOf(path) !== at);
  if (twice !== undefined) throw new FlattenError('USAGE', `{configOut: ${twice}}: is named twice`);
}

/** `given` are options by their names in the library. */
function misplaced(given: object, place: string, format: string): FlattenError {
  const names = Object.keys(given).map((name) => `{${name}}`);
  return new FlattenError('USAGE', `${names.join(', ')}: only for ${place}, and the output is ${format}`);
}

/** Throws `USAGE` for a platform where there is none to choose, and none to write down. */
export function refuseIdlePlatform(
  { kind, name }: OpenedImage,
  { platform }: Pick<Asked, 'platform'>,
  output?: Output,
): void {
  if (platform === undefined || kind !== 'rootfs' || output?.kind === 'image') return;
  throw new FlattenError(
    'USAGE',
    `{platform: ${platform}}: ${name} is a root filesystem, which has no platform`,
  );
}

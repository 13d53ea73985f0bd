import { FlattenError } from './errors.js';
import { refuseMisfits } from './fits.js';
import { type DiskOptions, type OutputOptions, openSink } from './sinks/open.js';
import { type Output, parseOutput } from './sinks/output.js';
import { refuseUnready } from './sinks/ready.js';
import { type ImageOptions, parseImageOptions } from './squash.js';
import type { Tree, TreeSink } from './tree.js';
import { verifyWritten } from './verify.js';

/** Options of every output; all are off by default. */
export interface AnyOutputOptions {
  /** Replace an existing output once the new one is whole. */
  readonly force?: boolean;
  /** Fail where the output cannot hold something. */
  readonly strict?: boolean;
  /** Read the output back before it appears, and fail where it differs from the tree. */
  readonly verify?: boolean;
}

/** Options of {@link directory}. */
export interface DirectoryOutputOptions extends AnyOutputOptions {
  /** Let a file keep setuid and setgid where the system does not let it have its owner. */
  readonly keepSetuid?: boolean;
}

/** Options of {@link tar}. */
export interface TarOutputOptions extends AnyOutputOptions {
  /** Default: what the name's ending says, and none for another. */
  readonly compression?: 'none' | 'gzip' | 'zstd';
  /** Whether the artifact has a digest. Default true. */
  readonly digest?: boolean;
}

/** Options of {@link cpio}. */
export type CpioOutputOptions = Omit<TarOutputOptions, 'verify'>;

/** Options of {@link disk}. */
export interface DiskOutputOptions extends AnyOutputOptions, DiskOptions {
  /** Default: what the name's ending says, and ext3 for another. */
  readonly format?: 'ext2' | 'ext3' | 'ext4' | 'erofs' | 'squashfs';
  /** Whether the artifact has a digest. Default false. */
  readonly digest?: boolean;
  /** Seconds since 1970: when the file system says it was made. Default 1. */
  readonly time?: number;
}

/** Options of {@link image}. */
export interface ImageOutputOptions extends AnyOutputOptions, Omit<ImageOptions, 'fromLayer' | 'last'> {
  /** `os/arch[/variant]`, for a root filesystem that names none. Default: this machine's, as linux. */
  readonly platform?: string;
  /** Seconds since 1970: when the image says it was made. Default: when its source was. */
  readonly sourceDateEpoch?: number;
  /** The only file that credentials for a registry are looked for in. Default: the files of containers' tools and of Docker. */
  readonly authfile?: string;
  /** Registries (`HOST[:PORT]`) that may speak plain http, and have any certificate. */
  readonly insecure?: readonly string[];
}

/** A sink that writes a directory. As root it holds everything; what it cannot hold are losses of the artifact. */
export function directory(path: string, options: DirectoryOutputOptions = {}): TreeSink {
  return sink(parseOutput(path, 'directory'), options);
}

/** A sink that writes a flat tar; `-` is standard output. */
export function tar(path: string, { compression, ...options }: TarOutputOptions = {}): TreeSink {
  return sink(parseOutput(path, `tar${endingOf(path, compression)}`), options);
}

/**
 * A sink that writes a cpio archive of the form `newc`, which Linux takes as its initramfs; `-` is standard output. It has no
 * xattrs and whole seconds; what it cannot hold are losses of the artifact.
 */
export function cpio(path: string, { compression, ...options }: CpioOutputOptions = {}): TreeSink {
  return sink(parseOutput(path, `cpio${endingOf(path, compression)}`), options);
}

/** What the name of an archive's format ends in. */
function endingOf(path: string, compression: TarOutputOptions['compression']): '' | '.gz' | '.zst' {
  const named = /\.(gz|tgz)$/i.test(path) ? 'gzip' : /\.(zst|tzst)$/i.test(path) ? 'zstd' : 'none';
  return ({ none: '', gzip: '.gz', zstd: '.zst' } as const)[compression ?? named];
}

/** A sink that writes a disk image, sized from the tree. ext takes mke2fs, squashfs sqfstar; erofs takes no tools. */
export function disk(
  path: string,
  { format, force, strict, verify, digest, time, ...disk }: DiskOutputOptions = {},
): TreeSink {
  const [, named, packed = ''] = /\.(ext[234]|erofs|squashfs|sqfs)?(\.gz|\.zst)?$/i.exec(path) ?? [];
  const own = named?.toLowerCase().replace('sqfs', 'squashfs');
  const output = parseOutput(path, `${format ?? own ?? 'ext3'}${packed.toLowerCase()}`);
  const common = {
    ...(force !== undefined && { force }),
    ...(strict !== undefined && { strict }),
    ...(verify !== undefined && { verify }),
  };
  return sink(output, {
    ...common,
    ...(Object.keys(disk).length > 0 && { disk }),
    ...(digest !== undefined && { digest }),
    ...(time !== undefined && { sourceDateEpoch: time }),
  });
}

/**
 * A sink that writes an image: `docker-archive:FILE[:NAME:TAG]`, `oci:DIR[:TAG]`, `oci-archive:FILE[:TAG]`, `docker-daemon:NAME[:TAG]`,
 * `docker://[HOST[:PORT]/]NAME[:TAG]`.
 */
export function image(where: string, options: ImageOutputOptions = {}): TreeSink {
  const { platform, authfile, insecure, force, strict, verify, sourceDateEpoch, ...parts } = options;
  const output = parseOutput(where);
  if (output.kind !== 'image')
    throw new FlattenError('USAGE', `${where}: is no image`, {
      hint: 'begin with docker-archive:, oci:, oci-archive:, docker-daemon: or docker://',
    });
  return sink(output, {
    ...(force !== undefined && { force }),
    ...(strict !== undefined && { strict }),
    ...(verify !== undefined && { verify }),
    ...(sourceDateEpoch !== undefined && { sourceDateEpoch }),
    image: parseImageOptions(parts, {
      ...(platform !== undefined && { platform }),
      ...(authfile !== undefined && { authfile }),
      ...(insecure && { insecure }),
    }),
  });
}

type Choices = AnyOutputOptions & Omit<OutputOptions, 'force' | 'strict' | 'check'>;

function sink(
  output: Output,
  { force = false, strict = false, verify: isRead = false, ...more }: Choices,
): TreeSink {
  refuseMisfits({ force, verify: isRead, ...(more.disk && { disk: more.disk }) }, output);
  return {
    async write(tree: Tree, context) {
      await refuseUnready(
        output,
        { force, ...(more.disk && { disk: more.disk }) },
        { registries: more.image?.registries ?? {}, signal: context.signal, report: context.report },
      );
      const check = (path: string) => verifyWritten(path, tree.rootfs, context);
      const opened = await openSink(output, { ...more, force, strict, ...(isRead && { check }) });
      return opened.write(tree, context);
    },
  };
}

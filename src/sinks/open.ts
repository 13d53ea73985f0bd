import type { ExtOptions } from '../ext/ext.js';
import type { DiskFileOptions } from './disk-file.js';
import type { ParsedImageOptions } from './image.js';
import type { Output } from './output.js';
import type { Sink, SinkOptions } from './sink.js';
import type { SquashfsOptions } from './squashfs/options.js';

/** What a disk image can be asked for; nothing of it makes sense elsewhere. */
export type DiskOptions = Omit<ExtOptions, 'format' | 'time'> &
  Pick<DiskFileOptions, 'verity'> & {
    /** How squashfs is compressed. */
    readonly squashfs?: SquashfsOptions;
  };

/** Options of every kind of output. */
export interface OutputOptions extends SinkOptions {
  readonly disk?: DiskOptions;
  readonly image?: ParsedImageOptions;
  /** Seconds since 1970: when a disk image or an image says it was made. */
  readonly sourceDateEpoch?: number;
  /** Compute the digest of a file. Default: of a flat tar, since it is at hand as the bytes go by, but not of a disk image. */
  readonly digest?: boolean;
}

/** The sink for an output. Only the code of the format asked for is loaded. */
export async function openSink(output: Output, options: OutputOptions): Promise<Sink> {
  const { disk, image, sourceDateEpoch, ...common } = options;
  switch (output.kind) {
    case 'directory':
      return (await import('./directory.js')).directorySink(output.path, common);
    case 'tar': {
      const { path, compression } = output;
      return (await import('./tar.js')).tarSink(path, { ...common, compression });
    }
    case 'cpio': {
      const { path, compression } = output;
      return (await import('./cpio.js')).cpioSink(path, { ...common, compression });
    }
    case 'disk': {
      const { path, filesystem: format, compression } = output;
      if (format === 'squashfs') {
        const { squashfsSink } = await import('./squashfs.js');
        return squashfsSink(path, { ...common, ...disk, ...(compression && { compression }) });
      }
      const time = sourceDateEpoch !== undefined && { time: sourceDateEpoch };
      const file = { ...common, ...disk, ...time, ...(compression && { compression }) };
      if (format === 'erofs') return (await import('./erofs.js')).erofsSink(path, file);
      return (await import('./ext.js')).extSink(path, { ...file, format });
    }
    case 'image': {
      const { imageSink } = await import('./image.js');
      const created = sourceDateEpoch !== undefined && { sourceDateEpoch };
      return imageSink(output, { ...common, ...image, ...created });
    }
  }
}

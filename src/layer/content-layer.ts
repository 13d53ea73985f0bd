import { closeSync, fstatSync } from 'node:fs';
import { Readable } from 'node:stream';
import { writeAll } from '../host/bytes.js';
import { unlinkedFile } from '../host/unlinked-file.js';
import type { Digest } from '../oci/digest.js';
import { Allowance } from '../threads/allowance.js';
import type { Layer } from './layer.js';
import { tarLayer } from './tar-layer.js';

/** A layer whose bytes come from anywhere. */
export interface ContentLayer {
  /** How errors and progress name it. */
  readonly name: string;
  /** A tar, perhaps in gzip, zstd, xz or bzip2: its bytes, or what gives a stream of them whenever the layer is opened. */
  readonly content: Uint8Array | (() => AsyncIterable<Uint8Array>);
  /** Of the bytes as they come; compared when it is opened. */
  readonly digest?: Digest;
  /** Of the uncompressed tar; compared likewise. */
  readonly diffID?: Digest;
  /** Stored bytes, for progress. Default: those of `content`, and 0 for a stream. */
  readonly size?: number;
  /** Whether it is a root filesystem, in which names that begin with `.wh.` are no markers. Default false. */
  readonly isPlain?: boolean;
}

/** A layer out of memory or a stream, by way of an unlinked temporary file. */
export function contentLayer(options: ContentLayer): Layer {
  const { name, content, digest, diffID, isPlain } = options;
  const size = options.size ?? (content instanceof Uint8Array ? content.length : 0);
  const known = { name, ...(digest && { digest }), ...(diffID && { diffID }), ...(isPlain && { isPlain }) };
  return {
    ...known,
    size,
    async open(context, loading) {
      const fd = unlinkedFile(context.tmp);
      try {
        const chunks = content instanceof Uint8Array ? [content] : content();
        const allowance = new Allowance(context.limits.maxSize);
        let length = 0;
        for await (const chunk of Readable.from(chunks, { signal: context.signal })) {
          allowance.spend(chunk.length);
          writeAll(fd, chunk, length);
          length += chunk.length;
        }
        const blob = { fd, offset: 0, length: fstatSync(fd).size };
        const open = await tarLayer({ ...known, blob }).open(context, loading);
        return {
          ...open,
          close() {
            open.close();
            closeSync(fd);
          },
        };
      } catch (error) {
        closeSync(fd);
        throw error;
      }
    },
  };
}

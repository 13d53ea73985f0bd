import { closeSync, read } from 'node:fs';
import { Readable } from 'node:stream';
import type { Context } from '../../context.js';
import { FlattenError } from '../../errors.js';
import type { ByteRange } from '../../host/bytes.js';
import { unlinkedFile } from '../../host/unlinked-file.js';
import type { Layer } from '../../layer/layer.js';
import { Meter } from '../../meter.js';
import type { Digest } from '../../oci/digest.js';
import type { RegistryReference } from '../../oci/registry-reference.js';
import type { Pointer } from '../../oci/write.js';
import type { Destination, RepositoryName } from '../../registry/destination.js';
import { openDestination, type RegistryOptions } from '../../registry/open.js';
import type { Uploadable } from '../../registry/upload.js';
import { toDescriptor } from '../archive/writer.js';
import type { WrittenLayer } from './form.js';
import { keptBytes } from './layer.js';
import { OciForm, type OciPlace } from './oci-form.js';
import type { Blob, BlobBegun, LayerStore } from './store.js';
import type { Target } from './target.js';

/** Bytes that are read at once while a blob is sent. */
const PIECE = 256 * 1024;

/** The place of an image in a registry. Nothing is asked of the registry yet. */
export async function registryTarget(
  reference: RegistryReference & { readonly tag: string },
  registries: RegistryOptions,
  context: Context,
): Promise<Target> {
  const destination = await openDestination(reference, registries, context);
  const place = new RegistryPlace(destination, reference.tag, context);
  return {
    layers: place,
    form: new OciForm(place),
    publish: () => place.publish(),
    discard: () => place.close(),
  };
}

/**
 * An image in a registry. A layer goes into a file without a name first, since the registry is asked for its digest before anything is sent, and since a
 * registry that cannot go on with an upload wants all of it again. The tag is written last, when all that it leads to is there.
 */
class RegistryPlace implements OciPlace, LayerStore {
  readonly #destination: Destination;
  readonly #tag: string;
  readonly #context: Context;
  readonly #open = new Set<number>();
  readonly #put = new Map<Digest, number>();
  readonly #manifests = new Map<Digest, { readonly mediaType: string; readonly bytes: Buffer }>();
  #top: Digest | undefined;

  constructor(destination: Destination, tag: string, context: Context) {
    this.#destination = destination;
    this.#tag = tag;
    this.#context = context;
  }

  get bytes(): number {
    return [...this.#put.values()].reduce((total, size) => total + size, 0);
  }

  async begin(): Promise<BlobBegun> {
    const fd = unlinkedFile(this.#context.tmp);
    this.#open.add(fd);
    const write = toDescriptor(fd);
    let size = 0;
    return {
      write: async (bytes) => {
        await write(bytes);
        size += bytes.length;
      },
      end: async () => ({
        size,
        name: async (digest) => {
          await this.#send(digest as Digest, { fd, offset: 0, length: size });
          this.#close(fd);
        },
      }),
      [Symbol.asyncDispose]: async () => {}, // what fails is closed with the rest
    };
  }

  keep(layer: Layer): Blob {
    const range = keptBytes(layer);
    return { size: range.length, name: (digest) => this.#send(digest as Digest, range, layer.repository) };
  }

  layer({ blob, digest }: WrittenLayer): Promise<void> {
    return blob.name(digest);
  }

  config({ digest, size }: Pointer, bytes: Buffer): Promise<void> {
    return this.#putOnce({ digest, size, read: (start) => Readable.from([bytes.subarray(start)]) });
  }

  async manifest({ digest, mediaType }: Pointer, bytes: Buffer): Promise<void> {
    this.#manifests.set(digest, { mediaType, bytes });
    this.#put.set(digest, bytes.length);
  }

  async finish({ digest }: Pointer): Promise<void> {
    this.#top = digest;
  }

  /** Puts the manifests there, of which the last gets the tag. */
  async publish(): Promise<void> {
    for (const [digest, manifest] of this.#manifests) {
      const name = digest === this.#top ? this.#tag : digest;
      await this.#destination.putManifest(name, manifest, this.#context.signal);
    }
  }

  async close(): Promise<void> {
    for (const fd of this.#open) this.#close(fd);
    await this.#destination.close().catch(() => {});
  }

  async #send(digest: Digest, range: ByteRange, from?: RepositoryName): Promise<void> {
    const { length } = range;
    let meter: Meter | undefined;
    const onSent = (bytes: number) => {
      meter ??= new Meter(this.#context, 'send', length);
      meter.at(bytes);
    };
    await this.#putOnce(
      { digest, size: length, read: (start) => Readable.from(pieces(range, start, onSent)) },
      from,
    );
    meter?.end();
  }

  async #putOnce(blob: Uploadable, from?: RepositoryName): Promise<void> {
    if (this.#put.has(blob.digest)) return;
    await this.#destination.putBlob(blob, { from, signal: this.#context.signal });
    this.#put.set(blob.digest, blob.size);
  }

  #close(fd: number): void {
    this.#open.delete(fd);
    closeSync(fd);
  }
}

/** The bytes of a range from `start` on, each piece its own. `onSent` is told how far it is when the next piece is asked for. */
async function* pieces(
  { fd, offset, length }: ByteRange,
  start: number,
  onSent: (position: number) => void,
): AsyncGenerator<Buffer> {
  for (let at = start; at < length; ) {
    const piece = await readAt(fd, offset + at, Math.min(PIECE, length - at));
    yield piece;
    at += piece.length;
    onSent(at);
  }
}

function readAt(fd: number, position: number, length: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    read(fd, Buffer.allocUnsafe(length), 0, length, position, (error, count, buffer) => {
      if (error) reject(error);
      else if (count === 0) reject(new FlattenError('IO', 'the file became shorter while it was read'));
      else resolve(buffer.subarray(0, count));
    });
  });
}

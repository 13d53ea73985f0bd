import { createHash } from 'node:crypto';
import { FlattenError } from '../errors.js';
import type { ByteRange } from '../host/bytes.js';
import type { Descriptor } from '../oci/descriptor.js';
import { algorithm, type Digest } from '../oci/digest.js';
import type { Json } from '../oci/json.js';
import type { Envelope } from './envelope.js';

/** The blobs of an image, by their descriptors: those of an OCI layout (image-layout.md), unless they have other places. */
export class Blobs {
  readonly envelope: Envelope;
  readonly #isChecked: boolean;
  readonly #places: (digest: Digest) => readonly string[];

  /** `isChecked` false: sizes and digests are taken as they are. `places` gives the paths that a blob may have. */
  constructor(
    envelope: Envelope,
    isChecked: boolean,
    places: (digest: Digest) => readonly string[] = (digest) => [blobPath(digest)],
  ) {
    this.#places = places;
    this.envelope = envelope;
    this.#isChecked = isChecked;
  }

  /** A blob's file, of the size its descriptor says; undefined where the layout leaves it out. The digest is not looked at. */
  find(descriptor: Descriptor): ByteRange | undefined {
    let range: ByteRange | undefined;
    for (const place of this.#places(descriptor.digest)) range ??= this.envelope.members.find(place);
    if (range !== undefined) this.#checkSize(descriptor, range.length);
    return range;
  }

  /** Reads a blob of JSON, or the one that its descriptor carries, and verifies it. `what` names it: `manifest`. */
  json(descriptor: Descriptor, what: string): Json {
    const { digest, data } = descriptor;
    const range = this.find(descriptor);
    if (range === undefined && data === undefined) {
      throw new FlattenError('NOT_FOUND', `${what} ${digest}: is not in ${this.envelope.name}`);
    }
    const read = () => {
      const bytes = range === undefined ? data! : this.envelope.small(range, `${what} ${digest}`);
      this.check(descriptor, bytes);
      return this.envelope.parse(bytes, what);
    };
    return range === undefined ? read() : this.envelope.once(range, `${what} ${digest}`, read);
  }

  /** Verifies bytes in memory: `DIGEST_MISMATCH` names both values. */
  check(descriptor: Descriptor, bytes: Uint8Array): void {
    this.#checkSize(descriptor, bytes.length);
    if (!this.#isChecked) return;
    const kind = algorithm(descriptor.digest);
    const actual = `${kind}:${createHash(kind).update(bytes).digest('hex')}`;
    if (actual !== descriptor.digest) {
      throw new FlattenError('DIGEST_MISMATCH', `blob ${descriptor.digest}: has the digest ${actual}`);
    }
  }

  #checkSize({ digest, size }: Descriptor, actual: number): void {
    if (this.#isChecked && size !== actual) {
      throw new FlattenError(
        'DIGEST_MISMATCH',
        `blob ${digest}: has ${actual} bytes, its descriptor says ${size}`,
      );
    }
  }
}

/** Where a layout keeps a blob. */
export function blobPath(digest: Digest): string {
  return `blobs/${digest.replace(':', '/')}`;
}

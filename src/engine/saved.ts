import { pipeline, type Readable, Transform, type TransformCallback } from 'node:stream';
import { FlattenError } from '../errors.js';
import { shown } from '../oci/shown.js';
import { messageIn } from './answer.js';

/** Engines that fail in the middle add a line of JSON to what they have sent; a tar ends in zeros. */
const COMPLAINT_LENGTH = 4096;

/**
 * The archive that an engine sends. It fails with `TOOL` where the engine breaks off or complains at its end. `ended` is awaited before the
 * end is believed.
 */
export function wholeArchive(source: Readable, ended: () => Promise<void> = async () => {}): Readable {
  const whole = new Whole(ended);
  pipeline(source, whole, () => {}); // whoever reads `whole` hears of it there
  return whole;
}

class Whole extends Transform {
  readonly #ended: () => Promise<void>;
  /** Kept back, since it may be a complaint. */
  #last: Buffer | undefined;

  constructor(ended: () => Promise<void>) {
    super();
    this.#ended = ended;
  }

  override _transform(chunk: Buffer, _: BufferEncoding, done: TransformCallback): void {
    const before = this.#last;
    this.#last = chunk;
    done(null, before);
  }

  override _flush(done: TransformCallback): void {
    const said = complaintIn(this.#last);
    if (said !== undefined) {
      done(new FlattenError('TOOL', `the engine: ${shown(said)}`));
      return;
    }
    this.#ended().then(() => done(null, this.#last), done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    if (error === null || error instanceof FlattenError || error.name === 'AbortError') done(error);
    else {
      const what = `the engine: broke off before the image was whole: ${error.message}`;
      done(new FlattenError('TOOL', what, { cause: error }));
    }
  }
}

function complaintIn(last: Buffer | undefined): string | undefined {
  const tail = last?.subarray(-COMPLAINT_LENGTH).toString('latin1') ?? '';
  return /\}\s*$/.test(tail) ? messageIn(tail.slice(tail.lastIndexOf('\0') + 1)) : undefined;
}

import { isSystemError, systemError } from '../errors.js';
import { writtenBy } from '../flatten.js';
import { registriesOf } from '../input.js';
import type { Digest } from '../oci/digest.js';
import { formatPlatform, linuxOn, parsePlatform } from '../oci/platform.js';
import { formatRegistryReference, type RegistryReference } from '../oci/registry-reference.js';
import type { FlattenOptions } from '../options.js';
import type { Output } from '../sinks/output.js';
import type { Choice } from '../sources/image.js';
import type { Look, RemoteLooks } from '../sources/remote-look.js';
import type { RegistryInput } from '../sources/transport.js';
import type { ImageProcesses } from './image-processes.js';
import { type Job, outputOf } from './job.js';
import { keyOf } from './key.js';
import { lateValues } from './names.js';
import { isIntact, type OutputRecord, readRecord, writeRecord } from './record.js';
import { AddedStamps, inputStamp } from './stamp.js';

/** A job whose output has a name, and what is known of its image. */
export interface Surveyed {
  readonly job: Job;
  readonly output: Output & { readonly path: string };
  /** What is written: the output and the files beside it. */
  readonly files: readonly { readonly path: string; readonly isDirectory: boolean }[];
  /** What `flatten` takes; the image of a registry is named by its digest. */
  readonly request: Omit<FlattenOptions, 'signal' | 'onEvent'>;
  /** The digest of the options. */
  readonly key: string;
  /** What tells the image apart; absent where nothing does cheaply. */
  readonly source?: string;
  readonly look?: Look;
  /** Stored bytes of the image, as far as they are known. */
  readonly size: number;
  /** Of the output that is there, or was. */
  readonly record?: OutputRecord;
  /** Whether the output is there already, of this image, these options and this version. */
  readonly isCurrent: boolean;
}

/** What a survey needs. */
export interface SurveyMeans {
  /** Absent where no image is in a registry. */
  readonly looks?: RemoteLooks;
  readonly processes: ImageProcesses;
  readonly version: string;
  readonly signal: AbortSignal;
  /** Seconds. */
  readonly timeout?: number;
}

/** Finds out what is to be done for a job, as cheaply as can be: a tag is asked for its digest, an archive for its size and times. */
export class Survey {
  readonly #means: SurveyMeans;
  readonly #added = new AddedStamps();

  constructor(means: SurveyMeans) {
    this.#means = means;
  }

  /** Throws what stands in the way of the image, as `NOT_FOUND` for a tag that is not there. */
  async of(job: Job): Promise<Surveyed> {
    try {
      return await this.#of(job);
    } catch (error) {
      throw isSystemError(error) ? systemError(error) : error;
    }
  }

  async #of(job: Job): Promise<Surveyed> {
    const { options, pattern } = job;
    const { version } = this.#means;
    const source = await this.#sourceOf(job);
    const early = pattern.isLate ? await this.#lookAt(job, source) : undefined;
    const output = outputOf(job, early ? lateValues({ ...early, layers: early.layers.length }) : {});
    const { path } = output as Surveyed['output'];
    const files = writtenBy(output, options);
    const added = this.#added.of(options.add ?? []);
    const owner = output.kind === 'directory' && process.geteuid?.() === 0;
    const key = keyOf(options, [version, output.format, formatPlatform(linuxOn(process.arch)), owner, added]);
    const record = readRecord(path);
    const isSame =
      record?.state === 'done' &&
      record.flatten === version &&
      record.options === key &&
      isIntact(
        record,
        path,
        files.map((file) => file.path),
      );
    let isCurrent = isSame && source !== undefined && record.source === source;
    let look = early;
    if (
      !isCurrent &&
      (job.input.kind === 'registry' || (isSame && record.digest !== undefined && source !== undefined))
    )
      look ??= await this.#lookAt(job, source);
    if (!isCurrent && isSame && record.digest !== undefined && look?.digest === record.digest) {
      isCurrent = true; // the same image, in a file of another time, or behind an index that has changed elsewhere
      writeRecord(path, { ...record, ...(source !== undefined && { source }) });
    }
    return {
      job,
      output: output as Surveyed['output'],
      files,
      request: requestOf(job, output, source),
      key,
      ...(source !== undefined && { source }),
      ...(look && { look }),
      size: look ? look.layers.reduce((sum, { size }) => sum + size, 0) : storedSize(source),
      ...(record && { record }),
      isCurrent,
    };
  }

  async #sourceOf({ input, options }: Job): Promise<string | undefined> {
    const { looks, signal } = this.#means;
    switch (input.kind) {
      case 'registry':
        return looks!.digest(input.reference, registriesOf(options));
      case 'web':
        return input.address.digest;
      case 'engine': {
        const { keptImageId } = await import('../sources/engine.js');
        return keptImageId(input.name, signal);
      }
      case 'stored':
        return inputStamp(input.path);
    }
  }

  /** Registries are asked from here, since their manifests are small and bounded; what lies in a file is opened by a process of its own. */
  async #lookAt(job: Job, source: string | undefined): Promise<Look> {
    const { looks, processes, signal, timeout } = this.#means;
    const { input, options } = job;
    if (input.kind === 'registry')
      return looks!.look(pinned(input, source), choiceOf(options), registriesOf(options));
    const task = { kind: 'look', request: requestOf(job, undefined, source) } as const;
    const { look } = await processes.ask(task, { signal, ...(timeout !== undefined && { timeout }) });
    return look;
  }
}

function choiceOf({ platform }: Job['options']): Choice {
  if (platform === undefined) return {};
  return platform === 'all' ? { everyPlatform: true } : { platform: parsePlatform(platform) };
}

function requestOf(job: Job, output: Output | undefined, source: string | undefined): Surveyed['request'] {
  const { imageOptions: image, ...options } = job.options;
  const { input, reference } = job;
  const meant =
    input.kind === 'registry' ? `docker://${formatRegistryReference(pinned(input, source))}` : reference;
  return { ...options, ...(image && { image }), input: meant, output: output?.text ?? '' };
}

/** A reference with the digest that its tag had when it was asked. */
function pinned({ reference }: RegistryInput, digest: string | undefined): RegistryReference {
  return { ...reference, digest: digest as Digest };
}

/** Of an archive, whose stamp begins with it. */
function storedSize(source: string | undefined): number {
  return Number(/^(\d+):/.exec(source ?? '')?.[1] ?? 0);
}

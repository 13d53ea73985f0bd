import { randomBytes } from 'node:crypto';
import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { ioError } from '../errors.js';
import { outputStamp } from './stamp.js';

/** Bytes of a record: what is larger is none. */
const RECORD_LIMIT = 64 * 2 ** 10;

/** The version of the form. */
const FORM = 1;

/**
 * What stands beside an output that a batch has made. It is a file, and no extended attribute, so that people can read it, every file system has room for
 * it, and `cp` and `rsync` take it along.
 */
export interface OutputRecord {
  readonly version: typeof FORM;
  /** `begun`: a run that was killed may have left the output whole, or not at all. */
  readonly state: 'begun' | 'done';
  /** The version of flatten. */
  readonly flatten: string;
  /** The image, as the list names it. */
  readonly image: string;
  /** Of all options that the output depends on. */
  readonly options: string;
  /** What told the image apart when it was read: the digest of a tag, the size and times of an archive. */
  readonly source?: string;
  /** The digest of the image. */
  readonly digest?: string;
  readonly platform?: string;
  readonly layers?: number;
  readonly entries?: number;
  readonly bytes?: number;
  /** The digest of the output. */
  readonly outputDigest?: string;
  /** The output and the files beside it, by their names from its directory, and how they were when they were made. */
  readonly files: Readonly<Record<string, string>>;
}

/** The file that is the record of an output. */
export function recordFile(output: string): string {
  return `${output.replace(/\/+$/, '')}.flatten.json`;
}

/** The record of an output; undefined where there is none, or one that says nothing. */
export function readRecord(output: string): OutputRecord | undefined {
  const file = recordFile(output);
  try {
    if ((statSync(file, { throwIfNoEntry: false })?.size ?? Infinity) > RECORD_LIMIT) return undefined;
    const record = JSON.parse(readFileSync(file, 'utf8')) as OutputRecord;
    const isOne = record?.version === FORM && typeof record.files === 'object' && record.files !== null;
    return isOne ? record : undefined;
  } catch {
    return undefined;
  }
}

/** Writes a record whole, in place of another one. */
export function writeRecord(output: string, record: Omit<OutputRecord, 'version'>): void {
  const file = recordFile(output);
  const aside = join(dirname(file), `.${basename(file).slice(-200)}.${randomBytes(8).toString('hex')}`);
  try {
    writeFileSync(aside, `${JSON.stringify({ version: FORM, ...record }, undefined, 2)}\n`, { flag: 'wx' });
    renameSync(aside, file);
  } catch (error) {
    rmSync(aside, { force: true });
    throw ioError(error, `${file}: cannot be written`);
  }
}

export function removeRecord(output: string): void {
  rmSync(recordFile(output), { force: true });
}

/** How the files of an output are now, for its record. */
export function stamped(output: string, paths: readonly string[]): OutputRecord['files'] {
  return Object.fromEntries(paths.map((path) => [nameFrom(output, path), outputStamp(path) ?? 'missing']));
}

/** From the directory of the output, since that may be moved with all that is in it. */
function nameFrom(output: string, path: string): string {
  return relative(dirname(output), path);
}

/** Whether the output and all files beside it are as they were when the record was written. `paths` are those that there must be now. */
export function isIntact({ files }: OutputRecord, output: string, paths: readonly string[]): boolean {
  return paths.every((path) => {
    const stamp = outputStamp(path);
    return stamp !== undefined && files[nameFrom(output, path)] === stamp;
  });
}

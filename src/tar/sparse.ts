import { FlattenError } from '../errors.js';
import { sizeText } from '../size-text.js';
import { numberAt, padded } from './header.js';
import { type PaxFields, type PaxRecord, paxNumber } from './pax.js';

/** A run of stored bytes in a sparse file. */
export interface Run {
  readonly start: number;
  readonly length: number;
}

/** How a sparse file lies in the archive. */
export interface SparseMap {
  /** The file's size as a reader sees it. */
  readonly size: number;
  readonly runs: readonly Run[];
  /** Bytes that the map itself takes between the header and the stored bytes. */
  readonly mapBytes: number;
}

/** The most bytes a map may take. */
export const MAX_MAP = 1 << 20;

/**
 * The map in an old GNU header (type `S`): four runs in the header, then blocks of 21, each saying whether another
 * follows (GNU tar manual, "Storing Sparse Files", "Old GNU Format"). `block(n)` gives the nth block after the header.
 */
export function oldGnuMap(header: Buffer, block: (index: number) => Buffer): SparseMap {
  const runs: Run[] = [];
  readRuns(header, 386, 4, runs);
  const size = numberAt(header, 483, 12, 'sparse size');
  let blocks = 0;
  let more = header[482] !== 0;
  while (more) {
    if (blocks * 512 >= MAX_MAP) throw tooLong();
    const next = block(blocks++);
    readRuns(next, 0, 21, runs);
    more = next[504] !== 0;
  }
  return { size, runs, mapBytes: blocks * 512 };
}

function readRuns(block: Buffer, offset: number, count: number, runs: Run[]): void {
  for (let i = 0; i < count; i++) {
    const at = offset + i * 24;
    if (block[at] === 0 || block[at + 12] === 0) return;
    runs.push({
      start: numberAt(block, at, 12, 'sparse offset'),
      length: numberAt(block, at + 12, 12, 'sparse length'),
    });
  }
}

/**
 * The map that PAX records give, or undefined for a file that is not sparse: GNU.sparse 0.0 (repeated offset and
 * numbytes records), 0.1 (one list) and 1.0 (decimal lines at the start of the body; `body` gives its first bytes).
 * Source: GNU tar manual, "Storing Sparse Files", "PAX Format".
 */
export function paxMap(
  records: readonly PaxRecord[],
  fields: PaxFields,
  body: (length: number) => Buffer,
): SparseMap | undefined {
  const major = fields.get('GNU.sparse.major');
  if (major !== undefined) {
    const minor = fields.get('GNU.sparse.minor') ?? '0';
    if (major === '1' && minor === '0') return { size: sizeOf(fields), ...bodyMap(body) };
    if (major !== '0') throw new FlattenError('BAD_LAYER', `GNU.sparse version ${major}.${minor} is unknown`);
  }
  const list = fields.get('GNU.sparse.map');
  if (list !== undefined) {
    const { numbers } = decimals(Buffer.from(`${list},`, 'latin1'), 0, ',', Number.POSITIVE_INFINITY);
    return { size: sizeOf(fields), runs: pairs(numbers), mapBytes: 0 };
  }
  if (!fields.has('GNU.sparse.numblocks')) return undefined;
  const numbers = records
    .filter(([key]) => key === 'GNU.sparse.offset' || key === 'GNU.sparse.numbytes')
    .map(([key, value]) => paxNumber(value, key));
  return { size: sizeOf(fields), runs: pairs(numbers), mapBytes: 0 };
}

/** Version 1.0 says `realsize` where the others say `size`; readers take either. */
function sizeOf(fields: PaxFields): number {
  const value = fields.get('GNU.sparse.realsize') ?? fields.get('GNU.sparse.size');
  if (value === undefined) throw new FlattenError('BAD_LAYER', 'sparse file without its size');
  return paxNumber(value, 'GNU.sparse.realsize');
}

function pairs(numbers: readonly number[]): Run[] {
  if (numbers.length % 2 !== 0)
    throw new FlattenError('BAD_LAYER', 'sparse map has an offset without a length');
  const runs: Run[] = [];
  for (let i = 0; i < numbers.length; i += 2) runs.push({ start: numbers[i]!, length: numbers[i + 1]! });
  return runs;
}

/** Version 1.0: a count, then that many offsets and lengths, a decimal line each, padded to a block. */
function bodyMap(body: (length: number) => Buffer): { runs: Run[]; mapBytes: number } {
  for (let known = 512; ; known *= 2) {
    const bytes = body(known);
    const count = decimals(bytes, 0, '\n', 1);
    const wanted = 2 * (count.numbers[0] ?? Number.NaN);
    const { numbers, end } = decimals(bytes, count.end, '\n', wanted);
    if (numbers.length === wanted) return { runs: pairs(numbers), mapBytes: padded(end) };
    if (known >= MAX_MAP) throw tooLong();
    if (bytes.length < known) throw new FlattenError('BAD_LAYER', 'sparse map is cut short');
  }
}

/** Reads whole numbers with `separator` behind each from `start` on: `most` of them, or as many as there are. */
function decimals(
  bytes: Buffer,
  start: number,
  separator: string,
  most: number,
): { numbers: number[]; end: number } {
  const numbers: number[] = [];
  let end = start;
  let value = 0;
  for (let at = start; at < bytes.length && numbers.length < most; at++) {
    const digit = bytes[at]! - 0x30;
    if (digit >= 0 && digit <= 9 && at - end < MAX_DIGITS) value = value * 10 + digit;
    else if (bytes[at] === separator.charCodeAt(0) && at > end) {
      numbers.push(value);
      value = 0;
      end = at + 1;
    } else throw new FlattenError('BAD_LAYER', 'sparse map holds what is no number, or too large a one');
  }
  return { numbers, end };
}

/** A number of so many digits is exact. */
const MAX_DIGITS = 15;

function tooLong(): FlattenError {
  return new FlattenError('LIMIT', `sparse map is longer than ${sizeText(MAX_MAP)}`);
}

/**
 * Checks a map against the bytes stored for it, and drops empty runs. Undefined where one run covers the whole file,
 * which then is not sparse at all.
 */
export function checkedRuns(map: SparseMap, stored: number): readonly Run[] | undefined {
  let end = 0;
  let sum = 0;
  const runs: Run[] = [];
  if (map.size < 0) throw new FlattenError('BAD_LAYER', 'sparse file with a negative size');
  for (const run of map.runs) {
    if (run.start < end || run.length < 0 || run.start + run.length > map.size) {
      throw new FlattenError('BAD_LAYER', 'sparse map overlaps itself or leaves the file');
    }
    end = run.start + run.length;
    sum += run.length;
    if (run.length > 0) runs.push(run);
  }
  if (sum !== stored) {
    throw new FlattenError('BAD_LAYER', `sparse map covers ${sum} bytes, but ${stored} are stored`);
  }
  return runs.length === 1 && runs[0]!.length === map.size ? undefined : runs;
}

import { FlattenError } from '../errors.js';
import { numberAt } from './header.js';
import { type PaxRecord, paxNumber } from './pax.js';

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
  /** Bytes of the body that the map itself takes, before the stored bytes. */
  readonly mapBytes: number;
}

/** The most bytes a map may take. */
export const MAX_MAP = 1 << 20;

/**
 * The map in an old GNU header (type `S`): four runs in the header, then blocks of 21, each saying whether another
 * follows (GNU tar manual, "Storing Sparse Files", "Old GNU Format"). `block(n)` gives the nth block after the header.
 */
export function oldGnuMap(header: Buffer, block: (index: number) => Buffer): SparseMap & { blocks: number } {
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
  return { size, runs, mapBytes: 0, blocks };
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
  fields: ReadonlyMap<string, string>,
  body: (length: number) => Buffer,
): SparseMap | undefined {
  const major = fields.get('GNU.sparse.major');
  if (major !== undefined) {
    const minor = fields.get('GNU.sparse.minor') ?? '0';
    if (major === '1' && minor === '0')
      return { size: sizeOf(fields, 'GNU.sparse.realsize'), ...bodyMap(body) };
    if (major !== '0') throw new FlattenError('BAD_LAYER', `GNU.sparse version ${major}.${minor} is unknown`);
  }
  const list = fields.get('GNU.sparse.map');
  if (list !== undefined) {
    const numbers = list.split(',').map((value) => paxNumber(value, 'GNU.sparse.map'));
    return { size: sizeOf(fields, 'GNU.sparse.size'), runs: pairs(numbers), mapBytes: 0 };
  }
  if (!fields.has('GNU.sparse.numblocks')) return undefined;
  const numbers = records
    .filter(([key]) => key === 'GNU.sparse.offset' || key === 'GNU.sparse.numbytes')
    .map(([key, value]) => paxNumber(value, key));
  return { size: sizeOf(fields, 'GNU.sparse.size'), runs: pairs(numbers), mapBytes: 0 };
}

function sizeOf(fields: ReadonlyMap<string, string>, key: string): number {
  const value = fields.get(key);
  if (value === undefined) throw new FlattenError('BAD_LAYER', `sparse file without ${key}`);
  return paxNumber(value, key);
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
  let known = 512;
  let bytes = body(known);
  let at = 0;
  const line = (): number => {
    let end = bytes.indexOf(0x0a, at);
    while (end === -1) {
      if (known >= MAX_MAP) throw tooLong();
      if (bytes.length < known) throw new FlattenError('BAD_LAYER', 'sparse map is cut short');
      known *= 2;
      bytes = body(known);
      end = bytes.indexOf(0x0a, at);
    }
    const value = paxNumber(bytes.toString('latin1', at, end), 'GNU.sparse map');
    at = end + 1;
    return value;
  };
  const count = line();
  if (count > MAX_MAP) throw tooLong();
  const numbers: number[] = [];
  for (let i = 0; i < count * 2; i++) numbers.push(line());
  return { runs: pairs(numbers), mapBytes: Math.ceil(at / 512) * 512 };
}

function tooLong(): FlattenError {
  return new FlattenError('LIMIT', `sparse map is longer than ${MAX_MAP} bytes`);
}

/**
 * Checks a map against the bytes stored for it, and drops empty runs. Undefined where one run covers the whole file,
 * which then is not sparse at all.
 */
export function checkedRuns(map: SparseMap, stored: number): readonly Run[] | undefined {
  let end = 0;
  let sum = 0;
  const runs: Run[] = [];
  for (const run of map.runs) {
    if (run.start < end || run.start + run.length > map.size) {
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

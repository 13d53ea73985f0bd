import { numeric } from './tar.js';

/** Numbers that are the same for the same seed, on every machine (mulberry32). */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** A whole number from 0 to `limit - 1`; small ones half of the time where `isSkewed`. */
  below(limit: number, isSkewed = false): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    const part = ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
    return Math.floor((isSkewed ? part * part : part) * limit);
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!;
  }
}

const BLOCK = 512;
const BYTES = [
  0, 1, 0x0a, 0x20, 0x2e, 0x2f, 0x30, 0x37, 0x38, 0x3d, 0x41, 0x4b, 0x4c, 0x53, 0x67, 0x78, 0x7f, 0x80, 0xbf,
  0xc0, 0xff,
];
const TOKENS = [
  '..',
  '/',
  '//',
  './',
  '../',
  '.wh.',
  '.wh..wh..opq',
  '.wh..wh.plnk/',
  '\0',
  'ustar\x0000',
  'ustar  \0',
  'tar\0',
  '=',
  '\n',
  '20 path=../../../xy\n',
  '12 size=999\n',
  '15 GNU.sparse.',
  '-1',
  '99999999999999999999',
  '0,',
  '1\n0\n',
  '__proto__',
  'null',
  '[]',
  '{}',
  '"',
  '\\u0000',
];
const NUMBERS = [
  0,
  1,
  -1,
  511,
  512,
  513,
  4095,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 32 - 1,
  2 ** 32,
  8 ** 11 - 1,
  2 ** 53 - 1,
  -(2 ** 31),
  2 ** 60,
  -(2 ** 60),
];
/** Offset and length of a header's fields, the sparse map of GNU among them. */
const FIELDS = [
  [100, 8],
  [108, 8],
  [116, 8],
  [124, 12],
  [136, 12],
  [156, 1],
  [329, 8],
  [337, 8],
  [386, 12],
  [398, 12],
  [482, 1],
  [483, 12],
  [257, 8],
] as const;

type Edit = (bytes: Buffer, random: Random) => Buffer;

const EDITS: readonly Edit[] = [
  (bytes, random) =>
    put(bytes, random.below(bytes.length), [bytes[random.below(bytes.length)]! ^ (1 << random.below(8))]),
  (bytes, random) => put(bytes, random.below(bytes.length), [random.pick(BYTES)]),
  (bytes, random) =>
    put(
      bytes,
      random.below(bytes.length),
      Array.from({ length: 1 + random.below(12) }, () => random.below(256)),
    ),
  (bytes, random) => put(bytes, random.below(bytes.length), Buffer.from(random.pick(TOKENS), 'latin1')),
  (bytes, random) =>
    splice(
      bytes,
      random.below(bytes.length),
      random.below(40, true),
      Buffer.from(random.pick(TOKENS), 'latin1'),
    ),
  (bytes, random) => splice(bytes, random.below(bytes.length), random.below(2000, true), Buffer.alloc(0)),
  (bytes, random) => splice(bytes, blockIn(bytes, random), BLOCK * random.below(3), Buffer.alloc(0)),
  (bytes, random) =>
    splice(
      bytes,
      blockIn(bytes, random),
      0,
      cut(bytes, blockIn(bytes, random), BLOCK * (1 + random.below(3))),
    ),
  (bytes, random) => put(bytes, blockIn(bytes, random), cut(bytes, blockIn(bytes, random), BLOCK)),
  (bytes, random) => bytes.subarray(0, random.below(bytes.length)),
  (bytes, random) => {
    const [offset, length] = random.pick(FIELDS);
    const value = numeric(random.pick(NUMBERS), 12).slice(-length);
    return put(
      bytes,
      blockIn(bytes, random) + offset,
      Buffer.from(random.below(8) === 0 ? ' '.repeat(length) : value, 'latin1'),
    );
  },
];

/** The bytes with a few things wrong: bits, fields, blocks twice or gone, an early end. The original stays as it is. */
export function mutate(original: Buffer, random: Random): Buffer {
  let bytes: Buffer = Buffer.from(original);
  for (let edits = 1 + random.below(6, true); edits > 0 && bytes.length > 0; edits--)
    bytes = random.pick(EDITS)(bytes, random);
  return bytes;
}

function blockIn(bytes: Buffer, random: Random): number {
  return BLOCK * random.below(Math.ceil(bytes.length / BLOCK));
}

function put(bytes: Buffer, at: number, more: ArrayLike<number>): Buffer {
  for (let i = 0; i < more.length && at + i < bytes.length; i++) bytes[at + i] = more[i]!;
  return bytes;
}

function splice(bytes: Buffer, at: number, remove: number, insert: Buffer): Buffer {
  return Buffer.concat([bytes.subarray(0, at), insert, bytes.subarray(at + remove)]);
}

function cut(bytes: Buffer, at: number, length: number): Buffer {
  return Buffer.from(bytes.subarray(at, at + length));
}

/** Makes the checksums of a tar's headers right, so that a reader looks at what else is in them. */
export function repairChecksums(tar: Buffer): Buffer {
  for (let at = 0; at + BLOCK <= tar.length; ) {
    const block = tar.subarray(at, at + BLOCK);
    at += BLOCK;
    if (block.every((byte) => byte === 0)) continue;
    block.write('        ', 148, 'latin1');
    const sum = block.reduce((sum, byte) => sum + byte, 0);
    block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
    if (!/[1-6]/.test(String.fromCharCode(block[156]!))) at += BLOCK * Math.ceil(sizeIn(block) / BLOCK);
  }
  return tar;
}

function sizeIn(header: Buffer): number {
  return Math.max(0, Number.parseInt(header.toString('latin1', 124, 136), 8) || 0);
}

const VALUES: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  1.5,
  2 ** 60,
  '',
  'x',
  '../../x',
  '/',
  [],
  {},
  [null],
  [[]],
  { a: 1 },
  `sha256:${'0'.repeat(64)}`,
  'sha256:../../x',
  '__proto__',
];

/** JSON with one value changed, gone, or somewhere else; or with wrong bytes. */
export function mutateJson(original: Buffer, random: Random): Buffer {
  if (random.below(3) === 0) return mutate(original, random);
  const value: unknown = JSON.parse(original.toString());
  const holders: Record<string, unknown>[] = [];
  collect(value, holders);
  const holder = random.pick(holders);
  const keys = Object.keys(holder);
  const key = keys.length === 0 ? 'x' : random.pick(keys);
  const other = random.pick(holders);
  switch (random.below(4)) {
    case 0:
      delete holder[key];
      break;
    case 1:
      holder[key] = other[random.pick(Object.keys(other))] ?? null;
      break;
    case 2:
      holder[
        random.pick(['__proto__ ', 'manifests', 'layers', 'Layers', 'config', 'LAYERS', 'digest', '0'])
      ] = random.pick(VALUES);
      break;
    default:
      holder[key] = random.pick(VALUES);
  }
  return Buffer.from(withoutCircles(value));
}

function collect(value: unknown, holders: Record<string, unknown>[]): void {
  if (typeof value !== 'object' || value === null) return;
  holders.push(value as Record<string, unknown>);
  for (const child of Object.values(value)) collect(child, holders);
}

function withoutCircles(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch {
    return '{';
  }
}

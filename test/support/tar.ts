/**
 * Builds tar archives by hand, independent of src/tar, so that a test can make every dialect and every lie. Text is
 * latin1: one character a byte.
 */

export type Dialect = 'v7' | 'ustar' | 'gnu' | 'pax';
export type SparseForm = 'old-gnu' | 'pax-0.0' | 'pax-0.1' | 'pax-1.0';

/** The 512 bytes in front of a member. A number is written in octal, or base-256 where octal has no room; a string byte for byte. */
export interface Header {
  readonly name?: string;
  readonly mode?: number | string;
  readonly uid?: number | string;
  readonly gid?: number | string;
  readonly size?: number | string;
  /** Seconds. */
  readonly mtime?: number | string;
  /** Absent: the right sum. `signed` adds the bytes as signed chars, as some old tars did; `wrong` is off by one. */
  readonly checksum?: 'signed' | 'wrong' | undefined;
  /** One character; `\0` is what v7 wrote for a file. */
  readonly typeflag?: string;
  readonly linkname?: string;
  /** Magic and version, eight bytes. */
  readonly magic?: string;
  readonly major?: number | string;
  readonly minor?: number | string;
  readonly prefix?: string;
  /** Bytes put over the finished header, before its sum: `[offset, bytes]`. */
  readonly patches?: readonly (readonly [number, Uint8Array])[];
}

/** One member, in the words of a person; `header` and `records` have the last word. */
export interface Member {
  readonly path: string;
  /** Default `0`, a file. */
  readonly typeflag?: string;
  readonly linkpath?: string;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  /** Nanoseconds. */
  readonly mtime?: bigint;
  readonly major?: number;
  readonly minor?: number;
  readonly xattrs?: ReadonlyMap<string, Buffer>;
  /** The file's bytes, without its holes where `runs` is given. */
  readonly body?: Buffer;
  /** A sparse file: where the bytes of `body` lie in a file of `realSize` bytes. */
  readonly sparse?: {
    readonly form: SparseForm;
    readonly realSize: number;
    readonly runs: readonly (readonly [start: number, length: number])[];
  };
  /** Default `pax`: a ustar header, and a PAX header for what it cannot say. */
  readonly dialect?: Dialect;
  /** PAX records written before the member, after those that it needs by itself. */
  readonly records?: readonly (readonly [key: string, value: string | Buffer])[];
  /** Fields set by hand. */
  readonly header?: Header;
}

export interface ArchiveEnd {
  /** Default true: two zero blocks. */
  readonly end?: boolean;
  /** Bytes after the end. */
  readonly trailing?: Buffer;
  /** Bytes cut off the end of it all. */
  readonly cut?: number;
}

const BLOCK = 512;
const USTAR = 'ustar\x0000';
const GNU = 'ustar  \0';

/** The end of an archive. */
export const END = Buffer.alloc(2 * 512);

/** An archive of these members, in this order. */
export function archive(members: readonly (Member | Buffer)[], options: ArchiveEnd = {}): Buffer {
  const parts = members.map((member) => (Buffer.isBuffer(member) ? member : memberBytes(member)));
  if (options.end ?? true) parts.push(END);
  if (options.trailing !== undefined) parts.push(options.trailing);
  const whole = Buffer.concat(parts);
  return whole.subarray(0, whole.length - (options.cut ?? 0));
}

/** A member with every header that it needs in front. */
export function memberBytes(member: Member): Buffer {
  const { dialect = 'pax' } = member;
  const { body, header, records: needed } = encode(member, dialect);
  const records = [...needed, ...(member.records ?? [])];
  return Buffer.concat([
    records.length === 0 ? Buffer.alloc(0) : paxHeader(records),
    dialect === 'gnu' ? longNames(member) : Buffer.alloc(0),
    headerBlock({ ...header, ...member.header }),
    ...(member.sparse?.form === 'old-gnu' ? sparseExtensions(member.sparse.runs) : []),
    padded(body),
  ]);
}

/** A PAX header of type `x` (for the next member) or `g` (for all that follow); a Buffer is its body, right or wrong. */
export function paxHeader(
  records: readonly (readonly [string, string | Buffer])[] | Buffer,
  typeflag = 'x',
): Buffer {
  const body = Buffer.isBuffer(records)
    ? records
    : Buffer.concat(records.map(([key, value]) => paxRecord(key, value)));
  return Buffer.concat([headerBlock({ name: 'pax', typeflag, size: body.length }), padded(body)]);
}

/** `LENGTH KEY=VALUE\n`, the length counting itself. */
export function paxRecord(key: string, value: string | Buffer): Buffer {
  const rest = Buffer.concat([latin1(` ${key}=`), latin1(value), latin1('\n')]);
  let length = rest.length + 1;
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
  return Buffer.concat([latin1(String(length)), rest]);
}

export function headerBlock(header: Header): Buffer {
  const block = Buffer.alloc(BLOCK);
  const put = (offset: number, width: number, value: string | number) =>
    latin1(typeof value === 'number' ? numeric(value, width) : value).copy(block, offset, 0, width);
  put(0, 100, header.name ?? '');
  put(100, 8, header.mode ?? 0o644);
  put(108, 8, header.uid ?? 0);
  put(116, 8, header.gid ?? 0);
  put(124, 12, header.size ?? 0);
  put(136, 12, header.mtime ?? 0);
  put(156, 1, header.typeflag ?? '0');
  put(157, 100, header.linkname ?? '');
  const magic = header.magic ?? USTAR;
  put(257, 8, magic);
  if (magic !== '') {
    put(329, 8, header.major ?? 0);
    put(337, 8, header.minor ?? 0);
    put(345, 155, header.prefix ?? '');
  }
  for (const [offset, bytes] of header.patches ?? []) block.set(bytes, offset);
  block.write('        ', 148, 'latin1');
  let sum = 0;
  for (const byte of block) sum += header.checksum === 'signed' ? (byte << 24) >> 24 : byte;
  if (header.checksum === 'wrong') sum++;
  put(148, 8, `${(sum >>> 0).toString(8).slice(-6).padStart(6, '0')}\0 `);
  return block;
}

/** `bytes` up to a whole number of blocks. */
export function padded(bytes: Buffer): Buffer {
  const rest = bytes.length % BLOCK;
  return rest === 0 ? bytes : Buffer.concat([bytes, Buffer.alloc(BLOCK - rest)]);
}

/** Octal with a NUL behind it, or base-256 (GNU) where that has no room: the top bit set, big-endian two's complement. */
export function numeric(value: number, width: number): string {
  const octal = value.toString(8);
  if (value >= 0 && octal.length < width) return `${octal.padStart(width - 1, '0')}\0`;
  const bytes = Buffer.alloc(width);
  let rest = BigInt(value);
  for (let i = width - 1; i >= 0; i--, rest >>= 8n) bytes[i] = Number(rest & 0xffn);
  bytes[0]! |= 0x80;
  return bytes.toString('latin1');
}

function latin1(text: string | Buffer): Buffer {
  return typeof text === 'string' ? Buffer.from(text, 'latin1') : text;
}

type Records = (readonly [string, string | Buffer])[];

function encode(member: Member, dialect: Dialect): { header: Header; records: Records; body: Buffer } {
  const { sparse, mtime = 0n, xattrs = new Map<string, Buffer>() } = member;
  const records: Records = [];
  const body = sparse?.form === 'pax-1.0' ? withMap(member) : (member.body ?? Buffer.alloc(0));
  const number = (key: string, value: number, width: number): number => {
    if (dialect !== 'pax' || value.toString(8).length < width) return value;
    records.push([key, String(value)]);
    return 0;
  };
  const names = dialect === 'pax' ? paxNames(member, records) : plainNames(member, dialect);
  let seconds = Number(mtime / 1_000_000_000n);
  if (dialect === 'pax' && (mtime < 0n || mtime % 1_000_000_000n !== 0n || seconds >= 8 ** 11)) {
    records.push(['mtime', decimal(mtime)]);
    seconds = 0;
  }
  for (const [name, value] of xattrs) records.push([`SCHILY.xattr.${name}`, value]);
  if (sparse !== undefined) records.push(...sparseRecords(member));
  const header: Header = {
    ...names,
    mode: member.mode ?? 0o644,
    uid: number('uid', member.uid ?? 0, 8),
    gid: number('gid', member.gid ?? 0, 8),
    size: number('size', body.length, 12),
    mtime: seconds,
    typeflag: sparse?.form === 'old-gnu' ? 'S' : (member.typeflag ?? '0'),
    magic: dialect === 'v7' ? '' : dialect === 'gnu' || sparse?.form === 'old-gnu' ? GNU : USTAR,
    major: member.major ?? 0,
    minor: member.minor ?? 0,
    ...(sparse?.form === 'old-gnu' ? { patches: oldSparse(sparse.runs, sparse.realSize) } : {}),
  };
  return { header, records, body };
}

/** Seconds with their fraction, as PAX writes them. */
export function decimal(nanoseconds: bigint): string {
  const sign = nanoseconds < 0n ? '-' : '';
  const digits = String(nanoseconds < 0n ? -nanoseconds : nanoseconds).padStart(10, '0');
  const fraction = digits.slice(-9).replace(/0+$/, '');
  return sign + digits.slice(0, -9) + (fraction && `.${fraction}`);
}

function paxNames(member: Member, records: Records): Header {
  const { path, linkpath = '' } = member;
  const split = splitPrefix(path);
  if (split === undefined) records.push(['path', path]);
  if (linkpath.length > 100) records.push(['linkpath', linkpath]);
  return { ...(split ?? { name: path.slice(0, 100) }), linkname: linkpath.slice(0, 100) };
}

function plainNames(member: Member, dialect: Dialect): Header {
  const { path, linkpath = '' } = member;
  const linkname = linkpath.slice(0, 100);
  if (dialect === 'gnu') return { name: path.slice(0, 100), linkname };
  const split = dialect === 'v7' ? undefined : splitPrefix(path);
  if (split === undefined && path.length > 100) throw new Error(`${dialect} cannot hold the name ${path}`);
  return { ...(split ?? { name: path }), linkname };
}

/** Name and prefix of a ustar header, or undefined where no slash lies in the right place. */
function splitPrefix(path: string): { name: string; prefix: string } | undefined {
  if (path.length <= 100) return { name: path, prefix: '' };
  const slash = path.indexOf('/', path.length - 101);
  if (slash < 1 || slash > 155 || slash === path.length - 1) return undefined;
  return { name: path.slice(slash + 1), prefix: path.slice(0, slash) };
}

/** GNU's `L` and `K` members for names of more than 100 bytes. */
function longNames(member: Member): Buffer {
  const long = (typeflag: string, name: string) =>
    name.length <= 100
      ? []
      : [
          headerBlock({ name: '././@LongLink', typeflag, size: name.length + 1, magic: GNU }),
          padded(latin1(`${name}\0`)),
        ];
  return Buffer.concat([...long('K', member.linkpath ?? ''), ...long('L', member.path)]);
}

type Runs = readonly (readonly [number, number])[];

function oldSparse(runs: Runs, realSize: number): [number, Buffer][] {
  return [
    [386, sparseTable(runs.slice(0, 4), 4)],
    [482, Buffer.from([runs.length > 4 ? 1 : 0])],
    [483, latin1(numeric(realSize, 12))],
  ];
}

function sparseExtensions(runs: Runs): Buffer[] {
  const blocks: Buffer[] = [];
  for (let at = 4; at < runs.length; at += 21) {
    const block = Buffer.alloc(BLOCK);
    sparseTable(runs.slice(at, at + 21), 21).copy(block);
    block[504] = runs.length > at + 21 ? 1 : 0;
    blocks.push(block);
  }
  return blocks;
}

function sparseTable(runs: Runs, rows: number): Buffer {
  const text = runs.map(([start, length]) => numeric(start, 12) + numeric(length, 12)).join('');
  return latin1(text.padEnd(rows * 24, '\0'));
}

function sparseRecords({ path, sparse }: Member): Records {
  if (sparse === undefined || sparse.form === 'old-gnu') return [];
  const { runs, realSize } = sparse;
  if (sparse.form === 'pax-1.0') {
    return [
      ['GNU.sparse.major', '1'],
      ['GNU.sparse.minor', '0'],
      ['GNU.sparse.name', path],
      ['GNU.sparse.realsize', String(realSize)],
    ];
  }
  const counts: Records = [
    ['GNU.sparse.size', String(realSize)],
    ['GNU.sparse.numblocks', String(runs.length)],
  ];
  if (sparse.form === 'pax-0.1')
    return [...counts, ['GNU.sparse.name', path], ['GNU.sparse.map', runs.flat().join(',')]];
  for (const [start, length] of runs) {
    counts.push(['GNU.sparse.offset', String(start)], ['GNU.sparse.numbytes', String(length)]);
  }
  return counts;
}

/** PAX sparse 1.0: the map stands in front of the bytes, a number a line, in whole blocks. */
function withMap({ sparse, body = Buffer.alloc(0) }: Member): Buffer {
  const numbers = [sparse!.runs.length, ...sparse!.runs.flat()];
  return Buffer.concat([padded(latin1(`${numbers.join('\n')}\n`)), body]);
}

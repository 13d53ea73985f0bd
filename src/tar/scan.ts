import { diskKindOf } from '../disk-magic.js';
import { FlattenError } from '../errors.js';
import { sizeText } from '../size-text.js';
import type { TarEntry } from './entry.js';
import { BLOCK, type Header, padded, parseHeader, plainBody, text } from './header.js';
import { memberAt, type Preface } from './member.js';
import { NO_PAX, type PaxRecord, type PaxSays, parsePax, paxSays } from './pax.js';
import { type TarSource, Window } from './window.js';

/** The most bytes a PAX header or a GNU long name may take; Go's archive/tar has the same bound. */
const MAX_SPECIAL = 1 << 20;

/** The most such headers that may stand before one entry, and the most bytes they may take together. */
const MAX_COUNT = 64;
const MAX_BYTES = 4 * MAX_SPECIAL;

/** What a PAX record counts for at least: tiny ones cost time all the same. Honest ones have more on average. */
const RECORD_BYTES = 24;

/** The most bytes that the defaults of global headers may take: each entry is charged for them. */
const MAX_GLOBALS = 1 << 16;

/** Bytes read at a time; bodies that are longer are not read at all. */
const DEFAULT_WINDOW = 64 * 1024;

export interface ScanOptions {
  /** Bytes read at a time. */
  readonly window?: number;
  /** Called where the archive ends without the zeros that should end it: it may have been cut. */
  readonly onOpenEnd?: () => void;
  /**
   * Called for what GNU tar puts into backups beside files: the label of a volume, which is skipped, and the names that a
   * directory had, which are skipped while the directory itself is taken, as GNU tar and bsdtar do. Absent: an error.
   */
  readonly onBackup?: (what: 'label' | 'names', path: string) => void;
}

/**
 * Yields the members of a tar archive in order, reading headers only. Bodies are skipped, never held. The archive ends
 * at two zero blocks or at its last byte. Errors (`BAD_LAYER`, `LIMIT`) name the member and are final.
 */
export function* scanTar(source: TarSource, options: ScanOptions = {}): Generator<TarEntry> {
  const scan = new TarScan(source, options);
  for (let entry = scan.next(); entry !== undefined; entry = scan.next()) yield entry;
}

/**
 * The same, a member at a time. What the source throws where bytes are not there yet leaves the scan as it was: it goes
 * on from there with the next call.
 */
export class TarScan {
  readonly #window: Window;
  readonly #options: ScanOptions;
  #preface = blank(NO_PAX);
  #position = 0;

  constructor(source: TarSource, options: ScanOptions = {}) {
    this.#window = new Window(source, Math.max(options.window ?? DEFAULT_WINDOW, BLOCK));
    this.#options = options;
  }

  /** Where the next header is. */
  get position(): number {
    return this.#position;
  }

  /** The next member; undefined once at the archive's end. */
  next(): TarEntry | undefined {
    for (;;) {
      const position = this.#position;
      const header = headerAt(this.#window, position);
      if (header === undefined) {
        this.#end(position);
        return undefined;
      }
      if (!isSpecial(header.type)) {
        const entry = this.#member(position, header);
        if (entry !== undefined) return entry;
        continue;
      }
      const body = specialBody(this.#window, position, header, this.#preface);
      this.#preface = remember(this.#preface, header, body, position);
      this.#position += BLOCK + padded(header.size);
    }
  }

  /**
   * Goes past the usual members whose headers lie in `bytes`, those of the archive from `start` on, and whose bodies end
   * before `most`; gives their number. `words` is the same memory.
   */
  skipUsual(bytes: Buffer, words: Int32Array, start: number, most: number): number {
    const { count, globals } = this.#preface;
    if (count > 0 || globals !== NO_PAX) return 0;
    let members = 0;
    let at = this.#position - start;
    while (at >= 0 && at + BLOCK <= bytes.length) {
      const body = plainBody(bytes, words, at);
      if (body === undefined || start + at + BLOCK + body > most) break;
      at += BLOCK + padded(body);
      members++;
    }
    this.#position = start + at;
    return members;
  }

  /** Undefined for a backup's label, which is no member. */
  #member(position: number, header: Header): TarEntry | undefined {
    const { type, size } = header;
    const { onBackup } = this.#options;
    const isBackup = (type === 'V' || type === 'D') && onBackup !== undefined;
    const meant = isBackup ? asDirectory(header) : header;
    const { entry, next } = memberAt(this.#window, position, meant, this.#preface);
    if (isBackup) onBackup(type === 'V' ? 'label' : 'names', entry.path);
    if (this.#preface.count > 0) this.#preface = blank(this.#preface.globals);
    this.#position = isBackup ? next + padded(size) : next;
    return type === 'V' ? undefined : entry;
  }

  #end(position: number): void {
    if (position === 0) refuseZeros(this.#window);
    else if (position >= this.#window.size) this.#options.onOpenEnd?.();
    const { name, link, pax } = this.#preface;
    if (name !== undefined || link !== undefined || pax !== undefined) {
      throw new FlattenError('BAD_LAYER', 'the archive ends between a long-name or PAX header and its entry');
    }
  }
}

function blank(globals: PaxSays): Preface {
  return { globals, count: 0, bytes: 0, name: undefined, link: undefined, pax: undefined };
}

/** Without a body, which a directory has not. */
function asDirectory(header: Header): Header {
  if (header.size >= 0) return { ...header, type: '5' };
  throw new FlattenError('BAD_LAYER', 'size is negative', { path: header.name });
}

function isSpecial(type: string): boolean {
  return type === 'x' || type === 'g' || type === 'L' || type === 'K';
}

/** Undefined at the archive's end: its last byte, two zero blocks, or one zero block that nothing follows. */
function headerAt(window: Window, position: number): Header | undefined {
  const at = window.locate(position, BLOCK);
  if ((at < 0 || window.bytes[at] === 0) && endsAt(window, position)) return undefined;
  if (at < 0) throw new FlattenError('BAD_LAYER', 'the archive ends within a header');
  return located(position, () => parseHeader(window.bytes, window.words, at));
}

function endsAt(window: Window, position: number): boolean {
  if (!isZero(window.at(position, BLOCK))) return false;
  if (isZero(window.at(position + BLOCK, BLOCK))) return true;
  throw new FlattenError('BAD_LAYER', `a lone zero block at byte ${position}, with more after it`);
}

/** Bytes of the largest archive without members: tars are padded to whole tape records, mostly of 10 KiB. */
const MAX_EMPTY = 1 << 20;

/** An archive without members is zeros alone, and few of them. */
function refuseZeros(window: Window): void {
  const start = window.at(0, MAX_EMPTY + 1);
  if (start.length <= MAX_EMPTY && isZero(start)) return;
  const kind = diskKindOf(start);
  const disk = kind === 'ext' ? 'ext2, ext3 or ext4' : 'EROFS';
  throw new FlattenError(
    'BAD_LAYER',
    kind === undefined ? 'no tar: it begins with zeros' : `no tar, but a disk image (${disk})`,
  );
}

function isZero(block: Buffer): boolean {
  for (let i = 0; i < block.length; i++) if (block[i] !== 0) return false;
  return true;
}

function specialBody(window: Window, position: number, { type, size }: Header, preface: Preface): Buffer {
  const what = type === 'x' || type === 'g' ? 'PAX header' : 'GNU long name';
  if (size > MAX_SPECIAL) {
    throw new FlattenError(
      'LIMIT',
      `${what} of ${sizeText(size)}: at most ${sizeText(MAX_SPECIAL)} are read`,
    );
  }
  if (size < 0) throw new FlattenError('BAD_LAYER', `${what} has a negative size`);
  if (preface.count >= MAX_COUNT || preface.bytes + size > MAX_BYTES) {
    throw new FlattenError('LIMIT', 'too many PAX or long-name headers before one entry');
  }
  const body = window.at(position + BLOCK, size);
  if (body.length < size) throw new FlattenError('BAD_LAYER', `${what} is cut short`);
  return body;
}

function remember(before: Preface, header: Header, body: Buffer, position: number): Preface {
  const { globals, name, link, pax } = before;
  const count = before.count + 1;
  if (header.type === 'L' || header.type === 'K') {
    const bytes = before.bytes + body.length;
    const said = text(body, 0, body.length);
    return header.type === 'L'
      ? { globals, count, bytes, name: said, link, pax }
      : { globals, count, bytes, name, link: said, pax };
  }
  const records = located(position, () => parsePax(body));
  const bytes = before.bytes + Math.max(body.length, records.length * RECORD_BYTES);
  if (header.type === 'x') return { globals, count, bytes, name, link, pax: records };
  return { globals: located(position, () => withGlobals(globals, records)), count, bytes, name, link, pax };
}

/** The defaults for all that follows a global header. It cannot say how one file is sparse. */
function withGlobals(globals: PaxSays, records: readonly PaxRecord[]): PaxSays {
  const said = paxSays(
    globals,
    records.filter(([key]) => !key.startsWith('GNU.sparse.')),
  );
  let bytes = 0;
  for (const [key, value] of said.fields) bytes += key.length + value.length;
  if (bytes > MAX_GLOBALS) {
    throw new FlattenError(
      'LIMIT',
      `global PAX headers set ${sizeText(bytes)} of defaults: at most ${sizeText(MAX_GLOBALS)} are kept`,
    );
  }
  return said;
}

function located<T>(position: number, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof FlattenError)) throw error;
    throw new FlattenError(error.code, `${error.what} (at byte ${position})`, { cause: error });
  }
}

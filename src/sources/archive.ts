import type { Context } from '../context.js';
import { FlattenError, printable, throwIfAborted } from '../errors.js';
import type { ByteRange } from '../host/bytes.js';
import { readRange } from '../host/bytes.js';
import { shown } from '../oci/shown.js';
import { MAX_LINKS, MAX_PATH } from '../rootfs/path.js';
import type { TarEntry } from '../tar/entry.js';
import { scanTar } from '../tar/scan.js';
import { foreignFile } from './foreign-file.js';
import type { Members } from './members.js';

/** Members of an envelope. The largest real ones have some thousands; a root filesystem is told from one before this. */
const MEMBER_LIMIT = 100_000;

/** After this many members that no image has, an archive that does not look like one by then is a root filesystem. */
const STRANGERS = 1000;

/** Names at the top of an image archive: files that name the image, blobs, layers and configs. */
const OF_AN_IMAGE =
  /^(blobs|oci-layout|repositories|version|signature-\d+|(sha256:)?[0-9a-f]{64}(\..+)?|.+\.json|.+\.(tar|tar\.[a-z0-9]+|tgz))$/;

export function isOfAnImage(name: string): boolean {
  return OF_AN_IMAGE.test(name);
}

/** Whether all the names at the top of an envelope are such as images have there, and one of them says it is one. */
export function looksLikeImage(top: ReadonlySet<string>): boolean {
  const says = ['manifest.json', 'index.json', 'oci-layout', 'repositories'].some((name) => top.has(name));
  return says && [...top].every((name) => OF_AN_IMAGE.test(name));
}

interface Member extends ByteRange {
  readonly sparse: boolean;
}

/** An index of the members of an uncompressed tar inside an open file. */
export class Archive implements Members {
  readonly name: string;
  readonly isArchive = true;
  readonly #range: ByteRange;
  readonly #close: () => void;
  readonly #files = new Map<string, Member>();
  /** Links by path; a target is a path from the top, or undefined for one that leads out of the archive. */
  readonly #links = new Map<string, string | undefined>();
  readonly #followed = new Map<string, string>();
  readonly #top = new Set<string>();
  /** False when the scan ended early because this is a root filesystem. */
  whole = true;

  /** `close` gives back what the range lies in. */
  constructor(name: string, range: ByteRange, close: () => void) {
    this.name = name;
    this.#range = range;
    this.#close = close;
  }

  /** Reads the headers of all members. `isImage` is asked once, when many members look like none of an image. */
  scan(context: Context, isImage: () => boolean): void {
    let strangers = 0;
    let members = 0;
    for (const entry of this.#entries()) {
      if (members++ % 1000 === 0) throwIfAborted(context.signal);
      const parts = inside(entry.path.replace(/^\/+/, ''));
      if (parts === undefined || parts.length === 0) continue;
      this.#add(entry, parts);
      if (!OF_AN_IMAGE.test(parts[0]!) && ++strangers === STRANGERS && !isImage()) {
        this.whole = false;
        return;
      }
      if (members > MEMBER_LIMIT) {
        throw new FlattenError('LIMIT', `${this.name}: has more than ${MEMBER_LIMIT} members`, {
          hint: `if it is a root filesystem, say so: rootfs:${this.name}`,
        });
      }
    }
  }

  top(): ReadonlySet<string> {
    return this.#top;
  }

  names(directory: string): ReadonlySet<string> {
    if (directory === '') return this.#top;
    const prefix = directory.endsWith('/') ? directory : `${directory}/`;
    const names = new Set<string>();
    for (const paths of [this.#files, this.#links]) {
      for (const path of paths.keys()) {
        if (path.startsWith(prefix)) names.add(path.slice(prefix.length).split('/', 1)[0]!);
      }
    }
    return names;
  }

  find(path: string): ByteRange | undefined {
    const latin1 = Buffer.from(path, 'utf8').toString('latin1');
    const member = this.#files.get(this.#resolve(latin1));
    if (member?.sparse) {
      throw new FlattenError('UNSUPPORTED', `${shown(path)}: is stored as a sparse file in ${this.name}`, {
        hint: 'pack the archive again without --sparse',
      });
    }
    return member;
  }

  close(): void {
    this.#close();
  }

  *#entries(): Generator<TarEntry> {
    const read = (target: Uint8Array, position: number) => readRange(this.#range, target, position);
    let entries = 0;
    try {
      // Labels of volumes and the like are no members; the layer that this may be tells of them.
      for (const entry of scanTar({ read, size: this.#range.length }, { onBackup() {} })) {
        entries++;
        yield entry;
      }
    } catch (error) {
      if (!(error instanceof FlattenError) || error.code === 'LIMIT') throw error;
      if (entries === 0 && error.path === undefined) throw foreignFile(this.name, this.#range, error);
      throw new FlattenError('BAD_IMAGE', `${this.name}: is a broken archive: ${error.message}`, {
        cause: error,
      });
    }
  }

  /** Of two members with one path, the last is the one that unpacking leaves. */
  #add(entry: TarEntry, parts: readonly string[]): void {
    const path = parts.join('/');
    this.#top.add(parts[0]!);
    this.#files.delete(path);
    this.#links.delete(path);
    if (entry.type === 'file') {
      this.#files.set(path, {
        fd: this.#range.fd,
        offset: this.#range.offset + entry.offset,
        length: entry.size,
        sparse: entry.segments !== undefined,
      });
    } else if (entry.type === 'link' || entry.type === 'symlink') {
      const from = entry.type === 'link' ? [] : parts.slice(0, -1);
      this.#links.set(path, inside(entry.linkpath, from)?.join('/'));
    }
  }

  /** The path of the file that a path leads to, links on the way followed. `links` lead here already. */
  #resolve(path: string, links = 0): string {
    let whole = inside(path)?.join('/') ?? '';
    for (let end = 0; end < whole.length && !this.#files.has(whole); ) {
      const slash = whole.indexOf('/', end + 1);
      end = slash < 0 ? whole.length : slash;
      const here = whole.slice(0, end);
      if (!this.#links.has(here)) continue;
      const target = this.#follow(here, links + 1);
      const rest = whole.slice(end);
      whole = target === '' ? rest.slice(1) : target + rest;
      end = target.length;
    }
    return whole;
  }

  /** Where a link ends, links behind it followed. Each is followed once: a hostile archive may have long chains. */
  #follow(link: string, links: number): string {
    const known = this.#followed.get(link);
    if (known !== undefined) return known;
    const target = this.#links.get(link);
    if (target === undefined || links > MAX_LINKS) {
      const why = target === undefined ? 'leads out of the archive' : 'goes round in a circle';
      throw new FlattenError('BAD_IMAGE', `${printable(link)}: the link ${why}`);
    }
    const end = this.#resolve(target, links);
    this.#followed.set(link, end);
    return end;
  }
}

/** The components of a path below `from`, without `.` and `..`; undefined where it is absolute, leads above the top, or is too long for any file system. */
function inside(path: string, from: readonly string[] = []): string[] | undefined {
  const parts = [...from];
  if (path.startsWith('/') || path.length > MAX_PATH) return undefined;
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') parts.push(part);
    else if (parts.pop() === undefined) return undefined;
  }
  return parts;
}

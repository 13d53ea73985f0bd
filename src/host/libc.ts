import { createRequire } from 'node:module';
import { getSystemErrorName } from 'node:util';

/**
 * The system calls of Linux that Node lacks. Paths are bytes without a NUL and are never followed at their last
 * component; names of xattrs are latin1. Every failure throws a {@link LibcError}.
 */
export interface Libc {
  lsetxattr(path: Buffer, name: string, value: Uint8Array): void;
  lgetxattr(path: Buffer, name: string): Buffer;
  llistxattr(path: Buffer): string[];
  lremovexattr(path: Buffer, name: string): void;
  /** `mode` with its `S_IF…` bits; the umask applies. `EINVAL`: the numbers do not fit Linux's 12 and 20 bits. */
  mknod(path: Buffer, mode: number, major: number, minor: number): void;
  /** Nanoseconds since 1970. */
  utimensat(path: Buffer, atime: bigint, mtime: bigint): void;
  /** Nanoseconds since 1970, of an open file. */
  futimens(fd: number, atime: bigint, mtime: bigint): void;
  /** `exchange` swaps two existing paths; `noreplace` fails with `EEXIST` where `to` exists. */
  renameat2(from: Buffer, to: Buffer, how: 'exchange' | 'noreplace'): void;
}

/** A system call failed; like Node's own, `code` is `ENOTSUP`, `EPERM`, … */
export class LibcError extends Error {
  override readonly name = 'LibcError';
  readonly code: string;
  readonly errno: number;
  readonly syscall: string;

  constructor(syscall: string, errno: number) {
    const code = errnoName(errno);
    super(`${code}: ${syscall} failed`);
    this.code = code;
    this.errno = -errno;
    this.syscall = syscall;
  }
}

function errnoName(errno: number): string {
  try {
    return getSystemErrorName(-errno);
  } catch {
    return `E${errno}`;
  }
}

let loaded: { readonly libc: Libc | undefined } | undefined;

/**
 * The C library through koffi, loaded at the first call; each thread loads its own. Undefined where koffi (an
 * optional dependency) is not installed or the system is not a 64-bit Linux: callers then use a command or count a loss.
 * Never `terminate` a worker that calls this: koffi aborts the whole program if it is cut off in the middle.
 */
export function libc(): Libc | undefined {
  loaded ??= { libc: load() };
  return loaded.libc;
}

// A function of the C library: pointers to bytes and integers in, an integer out.
type Native = (...values: (Uint8Array | BigInt64Array | number | bigint | null)[]) => number;

/** What this file uses of koffi. */
interface Koffi {
  load(library: null): { func(definition: string): Native };
  errno(): number;
  sizeof(type: string): number;
}

function load(): Libc | undefined {
  if (process.platform !== 'linux') return undefined;
  let koffi: Koffi;
  try {
    koffi = createRequire(import.meta.url)('koffi');
  } catch {
    return undefined;
  }
  return koffi.sizeof('long') === 8 ? bind(koffi) : undefined;
}

const AT_FDCWD = -100;
const AT_SYMLINK_NOFOLLOW = 0x100;
const RENAME = { noreplace: 1, exchange: 2 } as const;
const ENOSYS = 38;
const ERANGE = 34;
const EINVAL = 22;
const NANOS = 1_000_000_000n;

function bind(koffi: Koffi): Libc {
  const library = koffi.load(null);
  const find = (definition: string): Native | undefined => {
    try {
      return library.func(definition);
    } catch {
      return undefined;
    }
  };
  const call = (name: string, native: Native | undefined, ...values: Parameters<Native>): number => {
    if (native === undefined) throw new LibcError(name, ENOSYS);
    const result = native(...values);
    if (result < 0) throw new LibcError(name, koffi.errno());
    return result;
  };
  const natives = {
    lsetxattr: find(
      'int lsetxattr(const uint8_t *path, const uint8_t *name, const uint8_t *value, size_t size, int flags)',
    ),
    lgetxattr: find('long lgetxattr(const uint8_t *path, const uint8_t *name, uint8_t *value, size_t size)'),
    llistxattr: find('long llistxattr(const uint8_t *path, uint8_t *list, size_t size)'),
    lremovexattr: find('int lremovexattr(const uint8_t *path, const uint8_t *name)'),
    utimensat: find('int utimensat(int at, const uint8_t *path, const int64_t *times, int flags)'),
    futimens: find('int futimens(int fd, const int64_t *times)'),
    renameat2: find(
      'int renameat2(int fromAt, const uint8_t *from, int toAt, const uint8_t *to, uint32_t flags)',
    ),
  };
  const mknod = findMknod(find);
  const path = new Terminated();
  const other = new Terminated();
  const times = new BigInt64Array(4);

  return {
    lsetxattr: (file, name, value) => {
      // koffi passes an empty view as a null pointer, which the kernel takes for a value of length 0.
      call('lsetxattr', natives.lsetxattr, path.of(file), other.ofText(name), value, value.length, 0);
    },
    lgetxattr: (file, name) => {
      const file0 = path.of(file);
      const name0 = other.ofText(name);
      return sized((value) => call('lgetxattr', natives.lgetxattr, file0, name0, value, value?.length ?? 0));
    },
    llistxattr: (file) => {
      const file0 = path.of(file);
      const list = sized((names) => call('llistxattr', natives.llistxattr, file0, names, names?.length ?? 0));
      return list.toString('latin1').split('\0').slice(0, -1);
    },
    lremovexattr: (file, name) => {
      call('lremovexattr', natives.lremovexattr, path.of(file), other.ofText(name));
    },
    mknod: (file, mode, major, minor) => {
      call('mknod', mknod, path.of(file), mode, deviceNumber(major, minor));
    },
    utimensat: (file, atime, mtime) => {
      setTimes(times, atime, mtime);
      call('utimensat', natives.utimensat, AT_FDCWD, path.of(file), times, AT_SYMLINK_NOFOLLOW);
    },
    futimens: (fd, atime, mtime) => {
      setTimes(times, atime, mtime);
      call('futimens', natives.futimens, fd, times);
    },
    renameat2: (from, to, how) => {
      call('renameat2', natives.renameat2, AT_FDCWD, path.of(from), AT_FDCWD, other.of(to), RENAME[how]);
    },
  };
}

/** glibc before 2.33 has no function of the name `mknod`, only the one that its header called. */
function findMknod(find: (definition: string) => Native | undefined): Native | undefined {
  const mknod = find('int mknod(const uint8_t *path, uint32_t mode, uint64_t device)');
  if (mknod !== undefined) return mknod;
  const old = find('int __xmknod(int version, const uint8_t *path, uint32_t mode, const uint64_t *device)');
  return old && ((path, mode, device) => old(0, path!, mode!, new BigInt64Array([device as bigint])));
}

/** glibc's `dev_t`. */
function deviceNumber(major: number, minor: number): bigint {
  const [high, low] = [BigInt(major), BigInt(minor)];
  return (
    ((high & 0xfffff000n) << 32n) | ((high & 0xfffn) << 8n) | ((low & 0xffffff00n) << 12n) | (low & 0xffn)
  );
}

function setTimes(times: BigInt64Array, atime: bigint, mtime: bigint): void {
  for (const [slot, time] of [
    [0, atime],
    [2, mtime],
  ] as const) {
    const nanos = ((time % NANOS) + NANOS) % NANOS;
    times[slot] = (time - nanos) / NANOS;
    times[slot + 1] = nanos;
  }
}

/** Asks for the size, then for the bytes; asks again where they grew in between. */
function sized(read: (target: Buffer | null) => number): Buffer {
  for (;;) {
    const target = Buffer.alloc(read(null));
    if (target.length === 0) return target;
    try {
      return target.subarray(0, read(target));
    } catch (error) {
      if (!(error instanceof LibcError) || error.errno !== -ERANGE) throw error;
    }
  }
}

/** Puts a NUL after bytes, without a fresh buffer for each call; bytes that hold one are refused, not cut short. */
class Terminated {
  #bytes = Buffer.alloc(4096);

  of(bytes: Uint8Array): Buffer {
    if (bytes.includes(0)) throw new LibcError('path', EINVAL);
    if (bytes.length >= this.#bytes.length) this.#bytes = Buffer.alloc(bytes.length + 1);
    this.#bytes.set(bytes);
    this.#bytes[bytes.length] = 0;
    return this.#bytes;
  }

  ofText(name: string): Buffer {
    return this.of(Buffer.from(name, 'latin1'));
  }
}

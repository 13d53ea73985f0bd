import { execFileSync } from 'node:child_process';
import { byPath, type Listed } from './tar-specimen.js';

/** Lists a directory as the kernel shows it: lstat, readlink, getxattr, and what read gives. Names are latin1. */
const ON_DISK = `
import hashlib, json, os, stat, sys
root = os.fsencode(sys.argv[1])
kinds = {stat.S_IFREG: 'file', stat.S_IFDIR: 'directory', stat.S_IFLNK: 'symlink', stat.S_IFCHR: 'char', stat.S_IFBLK: 'block', stat.S_IFIFO: 'fifo'}
def entry(path):
    full = os.path.join(root, path) if path else root
    s = os.lstat(full)
    kind = kinds[stat.S_IFMT(s.st_mode)]
    data = open(full, 'rb').read() if kind == 'file' else b''
    names = sorted(n for n in os.listxattr(full, follow_symlinks=False))
    return dict(path=path.decode('latin1'), kind=kind, mode=stat.S_IMODE(s.st_mode), uid=s.st_uid, gid=s.st_gid,
        mtime=str(s.st_mtime_ns), target=os.readlink(full).decode('latin1') if kind == 'symlink' else '',
        device=[os.major(s.st_rdev), os.minor(s.st_rdev)], size=len(data),
        sha256=hashlib.sha256(data).hexdigest() if kind == 'file' else '',
        xattrs={os.fsencode(n).decode('latin1'): os.getxattr(full, n, follow_symlinks=False).hex() for n in names},
        first=s.st_ino)
out = [entry(b'')]
for base, dirs, files in os.walk(root):
    for name in dirs + files:
        out.append(entry(os.path.relpath(os.path.join(base, name), root)))
print(json.dumps(out))
`;

/** Lists an archive as Python's tarfile reads it. Its numbers are exact, but for times: floats, here rounded to 100 ns. */
const IN_PYTHON = `
import hashlib, json, sys, tarfile
kinds = {b'0': 'file', b'1': 'link', b'2': 'symlink', b'3': 'char', b'4': 'block', b'5': 'directory', b'6': 'fifo'}
raw = lambda text: text.encode('utf-8', 'surrogateescape').decode('latin1')
out = []
archive = tarfile.open(sys.argv[1], encoding='utf-8', errors='surrogateescape')
for m in archive:
    data = archive.extractfile(m).read() if m.type == b'0' else b''
    out.append(dict(path='' if m.name == '.' else raw(m.name), kind=kinds[m.type], mode=m.mode, uid=m.uid, gid=m.gid, mtime=repr(m.mtime),
        target=raw(m.linkname), device=[m.devmajor, m.devminor], size=len(data),
        sha256=hashlib.sha256(data).hexdigest() if m.type == b'0' else '', xattrs={}, first=''))
print(json.dumps(out))
`;

/** The listing of a directory; names of one inode share the first of them in walk order. */
export function listDirectory(path: string): Listed[] {
  const found = python<(Omit<Listed, 'first'> & { first: number })[]>(ON_DISK, path);
  found.sort((a, b) => inWalkOrder(a.path, b.path));
  const first = new Map<number, string>();
  for (const { first: inode, path } of found) if (!first.has(inode)) first.set(inode, path);
  return found.map((entry) => ({ ...entry, first: first.get(entry.first)! })).sort(byPath);
}

/** The listing of an archive, by Python. Hard links are of kind `link`; xattrs are left out. */
export function listInPython(archive: string): Listed[] {
  return python<Listed[]>(IN_PYTHON, archive).sort(byPath);
}

function python<T>(program: string, argument: string): T {
  const output = execFileSync('python3', ['-c', program, argument], {
    encoding: 'utf8',
    maxBuffer: 64 * 2 ** 20,
    env: { ...process.env, PYTHONUTF8: '1' },
  });
  return JSON.parse(output);
}

/** Directories are walked whole before their later neighbours: a slash sorts before every other byte. */
function inWalkOrder(a: string, b: string): number {
  const [left, right] = [a, b].map((path) => path.replaceAll('/', '\x00'));
  return left! < right! ? -1 : left! > right! ? 1 : 0;
}

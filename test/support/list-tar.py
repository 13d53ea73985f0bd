#!/usr/bin/env python3
"""Print the members of tars, read by Python's tarfile.

Standard input has the path of a tar a line, as JSON; each is answered by a line of JSON, a list of its members. Bytes
are latin1 text. A hard link has kind `h` and its target.
"""
import hashlib, json, os, sys, tarfile

KINDS = {tarfile.SYMTYPE: 'l', tarfile.CHRTYPE: 'c', tarfile.BLKTYPE: 'b', tarfile.FIFOTYPE: 'p',
         tarfile.DIRTYPE: 'd', tarfile.LNKTYPE: 'h'}


def latin1(text):
    return os.fsencode(text).decode('latin1')


def nanoseconds(member):
    text = member.pax_headers.get('mtime')
    if text is None:
        return int(member.mtime) * 10**9
    sign = -1 if text.startswith('-') else 1
    whole, _, fraction = text.lstrip('-').partition('.')
    return sign * (int(whole) * 10**9 + int((fraction + '0' * 9)[:9]))


def digest(archive, member):
    found = hashlib.sha256()
    file = archive.extractfile(member)
    while chunk := file.read(1 << 20):
        found.update(chunk)
    return found.hexdigest()


def row(archive, member):
    kind = KINDS.get(member.type, 'f')
    found = dict(path=latin1(member.name), kind=kind, mode=member.mode & 0o7777, uid=member.uid, gid=member.gid,
                 mtime=str(nanoseconds(member)))
    if kind in 'lh':
        found['target'] = latin1(member.linkname)
    if kind in 'cb':
        found['device'] = '%d:%d' % (member.devmajor, member.devminor)
    if kind == 'f':
        found['size'] = member.size
        found['sha256'] = digest(archive, member)
    prefix = 'SCHILY.xattr.'
    found['xattrs'] = {latin1(key[len(prefix):]): os.fsencode(value).hex()
                       for key, value in member.pax_headers.items() if key.startswith(prefix)}
    return found


for line in sys.stdin:
    path = json.loads(line)
    with tarfile.open(path, mode='r:*', errors='surrogateescape', encoding='utf-8') as archive:
        print(json.dumps([row(archive, member) for member in archive]), flush=True)

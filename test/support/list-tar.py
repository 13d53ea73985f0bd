#!/usr/bin/env python3
"""Print the members of a tar (on standard input, seekable) as JSON, one line each, read by Python's tarfile.

Bytes come as latin1 text. Hard links are printed as kind `h` with their target.
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


with tarfile.open(fileobj=sys.stdin.buffer, mode='r:', errors='surrogateescape', encoding='utf-8') as archive:
    for member in archive:
        kind = KINDS.get(member.type, 'f')
        row = dict(path=latin1(member.name), kind=kind, mode=member.mode & 0o7777, uid=member.uid, gid=member.gid,
                   mtime=str(nanoseconds(member)))
        if kind in 'lh':
            row['target'] = latin1(member.linkname)
        if kind in 'cb':
            row['device'] = '%d:%d' % (member.devmajor, member.devminor)
        if kind == 'f':
            row['size'] = member.size
            row['sha256'] = digest(archive, member)
        prefix = 'SCHILY.xattr.'
        row['xattrs'] = {latin1(key[len(prefix):]): os.fsencode(value).hex()
                         for key, value in member.pax_headers.items() if key.startswith(prefix)}
        print(json.dumps(row))

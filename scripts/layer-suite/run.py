#!/usr/bin/env python3
"""Runs the suite: run.py [--as oci] [--ignore owner,device,xattr] [--only NAME] 'TOOL {image} {rootfs}'"""
import argparse, hashlib, json, os, signal, stat, subprocess, sys, tempfile
HERE = os.path.dirname(os.path.abspath(__file__))
KINDS = dict(zip('-dlcbps', ('file', 'directory', 'symlink', 'char', 'block', 'fifo', 'socket')))
POINTS = ('kind', 'mode', 'owner', 'size', 'content', 'target', 'link', 'device', 'time', 'xattr')
def latin1(name): return os.fsencode(name).decode('latin1')
def entry(path, s):
    kind, (whole, rest) = KINDS[stat.filemode(s.st_mode)[0]], divmod(abs(s.st_mtime_ns), 10**9)
    time = '-' * (s.st_mtime_ns < 0) + str(whole) + (f'.{rest:09}'.rstrip('0') if rest else '')
    e = dict(kind=kind, mode=f'{stat.S_IMODE(s.st_mode):04o}', owner=f'{s.st_uid}:{s.st_gid}', time=time)
    e['xattr'] = {latin1(n): os.getxattr(path, n, follow_symlinks=False).hex()
                  for n in os.listxattr(path, follow_symlinks=False) if n != 'security.selinux'}
    if kind == 'file': e.update(size=s.st_size, content=hashlib.sha256(open(path, 'rb').read()).hexdigest())
    if kind == 'symlink': e['target'] = latin1(os.readlink(path))
    if kind in ('char', 'block'): e['device'] = f'{os.major(s.st_rdev)}:{os.minor(s.st_rdev)}'
    return e

def tree(root):
    found, names = {}, {}
    paths = [root] + [os.path.join(at, n) for at, dirs, files in os.walk(root) for n in dirs + files]
    for path, s in ((path, os.lstat(path)) for path in sorted(paths, key=os.fsencode)):
        found[name := latin1(os.path.relpath(path, root))] = entry(path, s)
        if not stat.S_ISDIR(s.st_mode): names.setdefault(s.st_ino, []).append(name)
    for name, first in ((n, same[0]) for same in names.values() if len(same) > 1 for n in same): found[name]['link'] = first
    return found

def difference(want, got, ignore):
    for path, w, g in ((path, want.get(path), got.get(path)) for path in sorted(want.keys() | got.keys())):
        if 'device' in ignore and w and w['kind'] in ('char', 'block'): continue
        if not w or not g: return f'{path!a} ' + ('is missing' if w else 'is there, and should not be')
        for p in (p for p in POINTS if w.get(p) != g.get(p) and p not in [*ignore, *w.get('undecided', [])]):
            return f'{path!a}: {p} is {g.get(p)}, should be {w.get(p)}'

def run(case, line, form, ignore, timeout, top):
    out, cwd, rootfs = (os.path.join(top, name) for name in ('out', 'cwd', 'out/rootfs'))
    for path in (out, cwd): os.mkdir(path)
    outside = [p for p in (os.path.join(rootfs, p) for p in case['outside']) if not os.path.lexists(p)]
    watched = [top] if '{bundle}' in line else [top, out]
    words = dict(image=os.path.join(HERE, case['images'][form]), rootfs=rootfs, bundle=out, reference=case['reference'])
    for word, text in words.items(): line = line.replace('{%s}' % word, text)
    tool = subprocess.Popen(line, shell=True, cwd=cwd, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT)
    try: code = tool.wait(timeout)
    except subprocess.TimeoutExpired: return os.killpg(tool.pid, signal.SIGKILL) or f'the command did not end within {timeout} s'
    beside = {name for path in watched for name in os.listdir(path)} - {'out', 'cwd', 'rootfs'}
    if any(map(os.path.lexists, outside)) or beside: return 'something was written outside of the root'
    if case['expect'] == 'refusal': return 'the command takes the layers, which are wrong' if code == 0 else None
    if code != 0 or not os.path.isdir(rootfs): return f'the command fails (exit {code}), or makes nothing'
    return difference({e['path']: e for e in json.load(open(os.path.join(HERE, case['tree'])))}, tree(rootfs), ignore)

parser, failed, number = argparse.ArgumentParser(usage=__doc__), 0, 0
for option, default in ('--as', 'oci'), ('--ignore', ''), ('--only', ''), ('--timeout', '60'), ('line', None):
    parser.add_argument(option, default=default)
form, ignore, only, timeout, line = vars(parser.parse_args()).values()
for number, case in enumerate((c for c in json.load(open(os.path.join(HERE, 'index.json')))['cases'] if only in c['name']), 1):
    with tempfile.TemporaryDirectory() as top: why = run(case, line, form, ignore.split(','), float(timeout), top)
    failed += bool(why)
    print(f'not ok {number} - {case["name"]}: {why}' if why else f'ok {number} - {case["name"]}', flush=True)
print(f'1..{number}')
sys.exit(1 if failed else 0)

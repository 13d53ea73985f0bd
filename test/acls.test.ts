/** POSIX ACLs and SELinux contexts in PAX records, judged by what GNU tar and bsdtar write and restore. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { findTool } from '../src/ext/tool.js';
import { getfacl } from './support/getfacl.js';
import { needs } from './support/needs.js';
import { run } from './support/program.js';
import { scanBytes } from './support/scan-bytes.js';
import { scratch } from './support/scratch.js';
import { archive, type Member } from './support/tar.js';

const skip = needs('root', 'tar', 'bsdtar', 'setfacl', 'getfacl');
const PATHS = ['file', 'd', 'plain'];

/** A directory `from` whose ACLs name users and groups that every Debian has, numbers, and nobody. */
function workplace(t: TestContext): string {
  const cwd = scratch(t);
  const from = join(cwd, 'from');
  mkdirSync(join(from, 'd'), { recursive: true });
  for (const name of ['file', 'plain']) writeFileSync(join(from, name), name);
  chmodSync(join(from, 'plain'), 0o640);
  const setfacl = (...args: string[]) => execFileSync('setfacl', args, { cwd: from });
  setfacl('-m', 'user:daemon:rw-,user:4321:---,group:adm:r-x,mask::rwx', 'file');
  setfacl('-m', 'group:54321:rwx', 'd');
  setfacl('-d', '-m', 'group:adm:r-x,user::rwx', 'd');
  return cwd;
}

const unpackers: Record<string, string[]> = {
  'GNU tar': ['tar', '--acls', '-xpf'],
  bsdtar: ['bsdtar', '--acls', '--numeric-owner', '-xpf'],
};

for (const [name, pack] of Object.entries({
  'GNU tar': ['tar', '--acls', '--format=posix', '-cf'],
  bsdtar: ['bsdtar', '--acls', '--format=pax', '-cf'],
})) {
  test(
    `ACLs that ${name} writes are restored, and are in flat tars for tar --acls and bsdtar`,
    { skip },
    (t) => {
      const cwd = workplace(t);
      const expected = getfacl(join(cwd, 'from'), PATHS);
      assert.match(expected, /^user:4321:---$.*^default:group:4:r-x$/ms);
      execFileSync(pack[0]!, [...pack.slice(1), 'x.tar', '-C', 'from', ...PATHS], { cwd });
      for (const args of [
        ['x.tar', '-o', 'ours/'],
        ['x.tar', '-o', 'flat.tar'],
        ['flat.tar', '-o', 'again.tar', '--strict'],
      ]) {
        const { code, stderr } = run(args, { cwd });
        assert.equal(code, 0, stderr);
        // bsdtar writes numbers beside the names.
        const isByName = name === 'GNU tar' && args[0] === 'x.tar';
        assert.equal(
          /ACLs name adm, daemon: .* this machine's|ACLs name daemon, adm/.test(stderr),
          isByName,
          stderr,
        );
      }
      assert.equal(getfacl(join(cwd, 'ours'), PATHS), expected);
      execFileSync('cmp', ['flat.tar', 'again.tar'], { cwd });
      for (const [unpacker, [program, ...options]] of Object.entries(unpackers)) {
        const target = join(cwd, `by ${unpacker}`);
        mkdirSync(target);
        execFileSync(program!, [...options, '../flat.tar'], { cwd: target });
        assert.equal(getfacl(target, PATHS), expected, unpacker);
      }
    },
  );
}

test(
  'ACLs are in disk images, and in layers as xattrs alone',
  { skip: skip || needs('mke2fs', 'debugfs') },
  (t) => {
    const cwd = workplace(t);
    execFileSync('tar', ['--acls', '-cf', 'x.tar', '-C', 'from', ...PATHS], { cwd });
    for (const output of ['disk.ext4', 'docker-archive:image.tar']) {
      const { code, stderr } = run(['x.tar', '-o', output, '--verify'], { cwd });
      assert.equal(code, 0, stderr);
    }
    const listed = execFileSync(findTool('debugfs'), ['-R', 'ea_list d', 'disk.ext4'], {
      cwd,
      encoding: 'utf8',
      stdio: 'pipe',
    });
    assert.match(listed, /system\.posix_acl_access.*system\.posix_acl_default/s);
    const image = readFileSync(join(cwd, 'image.tar'), 'latin1');
    assert.match(image, /SCHILY\.xattr\.system\.posix_acl_default=/);
    assert.doesNotMatch(image, /SCHILY\.acl\./);
  },
);

const ACL = 'user::rwx\nuser:a stranger:rwx\ngroup::---\nmask::rwx\nother::---\n';

test(
  'a name that nobody knows is left out of its ACL, which is a loss; nobody gains access',
  { skip },
  (t) => {
    const cwd = scratch(t);
    const members: Member[] = [
      { path: 'file', mode: 0o770, records: [['SCHILY.acl.access', ACL]] },
      { path: 'same', typeflag: '1', linkpath: 'file' },
    ];
    writeFileSync(join(cwd, 'x.tar'), archive(members));
    const { code, stderr } = run(['x.tar', '-o', 'ours/'], { cwd });
    assert.equal(code, 0, stderr);
    assert.match(stderr, /not held: ACL of 1 \(first: file\): it names a stranger, whom nobody knows here/);
    const left = 'user::rwx\ngroup::---\nmask::rwx\nother::---\n';
    assert.ok(getfacl(join(cwd, 'ours'), ['file']).includes(left));
    assert.equal(run(['x.tar', '-o', 'strict/', '--strict'], { cwd }).code, 1);
  },
);

test('what is no ACL that Linux takes is a loss', (t) => {
  const cwd = scratch(t);
  const bad: [string, string][] = [
    ['access', 'user::rwx,user:7:r--,group::r-x,other::--x'],
    ['access', 'user::rwx,user:7:r--,user:lisa:rwx:7,group::r-x,mask::rwx,other::--x'],
    ['access', 'user::rwx,group::r-x'],
    ['access', 'owner@:rwx::allow'],
    ['access', 'user::rws,group::r-x,other::---'],
    ['access', 'user::rwx,user:4294967295:rwx,group::r-x,mask::rwx,other::---'],
    ['access', '\x02\0\0\0\x01\0'],
    ['access', `user::rwx,group::r-x,mask::rwx,other::---${',user:1:r'.repeat(9000)}`],
    ['access', `user::rwx,${',\n'.repeat(200_000)}`],
    ['default', 'user::rwx,group::r-x,other::---'],
  ];
  const members = bad.map(([kind, text], index): Member => {
    return { path: `f${index}`, mode: 0o640, records: [[`SCHILY.acl.${kind}`, text]] };
  });
  writeFileSync(join(cwd, 'x.tar'), archive(members));
  const { code, stderr } = run(['x.tar', '-o', 'flat.tar'], { cwd });
  assert.equal(code, 0, stderr);
  assert.match(stderr, /not held: ACL of 10 \(first: f0\): SCHILY\.acl\.access holds none that Linux takes/);
  const modes = execFileSync('tar', ['-tvf', join(cwd, 'flat.tar')], { encoding: 'utf8' });
  assert.equal(modes.match(/^-rw-r----- /gm)?.length, 10);
});

test('an SELinux context ends with a NUL, as libselinux sets it; the xattr itself counts more', () => {
  const members: Member[] = [
    { path: 'a', records: [['RHT.security.selinux', 'system_u:object_r:bin_t:s0']] },
    { path: 'b', records: [['RHT.security.selinux', 'system_u:object_r:bin_t:s0\0']] },
    {
      path: 'c',
      xattrs: new Map([['security.selinux', Buffer.from('other')]]),
      records: [['RHT.security.selinux', 'system_u:object_r:bin_t:s0']],
    },
  ];
  const found = scanBytes(archive(members)).map(({ xattrs }) =>
    [...xattrs].map(([name, value]) => `${name}=${value}`),
  );
  const context = ['security.selinux=system_u:object_r:bin_t:s0\0'];
  assert.deepEqual(found, [context, context, ['security.selinux=other']]);
});

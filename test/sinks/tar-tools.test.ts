import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Rootfs } from '../../src/rootfs/node.js';
import { tarSink } from '../../src/sinks/tar.js';
import { needs } from '../support/needs.js';
import { scratch } from '../support/scratch.js';
import { quiet } from './tar-context.js';
import { listDirectory, listInPython } from './tar-listing.js';
import { everything, type Listed, listTree, Specimen } from './tar-specimen.js';

/** Writes a tree as `flat.tar` of a directory. */
async function written(rootfs: Rootfs, directory: string): Promise<string> {
  const output = join(directory, 'flat.tar');
  await tarSink(output, { force: false, strict: true, compression: 'none' }).write(
    { rootfs, verified: Promise.resolve() },
    quiet(),
  );
  return output;
}

/** An empty directory to extract into. */
function target(directory: string): string {
  const path = join(directory, 'out');
  mkdirSync(path);
  return path;
}

/** Runs a tool in a locale that knows bytes only, or one that knows UTF-8: a name must survive both. */
function run(tool: string, args: string[], locale = 'C'): string {
  const env = { PATH: process.env.PATH, LC_ALL: locale, TZ: 'UTC' };
  return execFileSync(tool, args, { env, encoding: 'latin1', stdio: ['ignore', 'pipe', 'pipe'] });
}

for (const locale of ['C', 'C.UTF-8']) {
  test(`GNU tar reads everything back (${locale})`, { skip: needs('tar', 'python3', 'root') }, async (t) => {
    const { tree, archive, out } = await prepared(t);
    run('tar', ['--xattrs', '--xattrs-include=*', '--numeric-owner', '-xpf', archive, '-C', out], locale);
    assert.deepEqual(listDirectory(out), listTree(tree));
    assert.ok(statSync(join(out, 'sparse/middle')).blocks * 512 < 100_000, 'the sparse file stays sparse');
  });

  test(
    `bsdtar reads everything back (${locale})`,
    {
      skip: needs('bsdtar', 'python3', 'root'),
    },
    async (t) => {
      const { tree, archive, out } = await prepared(t);
      run('bsdtar', ['--xattrs', '--numeric-owner', '-xpf', archive, '-C', out], locale);
      // It gives the directory that it extracts into no time, not even from its own archives.
      const timeless = (listing: Listed[]) => listing.map((e) => (e.path === '' ? { ...e, mtime: '' } : e));
      assert.deepEqual(timeless(listDirectory(out)), timeless(listTree(tree)));
    },
  );
}

test('umoci unpacks it as a layer', { skip: needs('umoci', 'python3', 'root') }, async (t) => {
  const { tree, archive, directory } = await prepared(t);
  const layout = join(directory, 'layout');
  writeLayout(layout, readFileSync(archive));
  const bundle = join(directory, 'bundle');
  run('umoci', ['unpack', '--image', `${layout}:latest`, bundle]);
  assert.deepEqual(listDirectory(join(bundle, 'rootfs')), listTree(tree));
});

test('Python reads everything back', { skip: needs('python3') }, async (t) => {
  const { tree, archive } = await prepared(t);
  const expected = listTree(tree).map((entry): Listed => {
    const link = entry.first !== entry.path;
    const python = { ...entry, mtime: '', xattrs: {}, first: '' };
    return link
      ? { ...python, kind: 'link', target: entry.first, device: [0, 0], size: 0, sha256: '' }
      : python;
  });
  const found = listInPython(archive).map((entry) => ({ ...entry, mtime: '' }));
  // A link's header repeats its inode's owner and mode; Python alone shows them.
  assert.deepEqual(found, expected);
});

test('GNU tar keeps a time before 1970 with a fraction', { skip: needs('tar', 'python3') }, async (t) => {
  const directory = scratch(t);
  const specimen = new Specimen(t, directory, { mode: 0o755 });
  specimen.add('f', specimen.file(Buffer.from('x'), { mtime: -1_500_000_000n }));
  const archive = await written(specimen.rootfs(), directory);
  const out = target(directory);
  run('tar', ['-xpf', archive, '-C', out]);
  assert.equal(listDirectory(out).find(({ path }) => path === 'f')?.mtime, '-1500000000');
});

test("GNU tar takes an xattr's name with = and %25 back", { skip: needs('tar', 'python3') }, async (t) => {
  const directory = scratch(t);
  const xattrs = new Map([
    ['user.a=b', Buffer.from('1')],
    ['user.a%25=%3D%3d', Buffer.from('2')],
  ]);
  const specimen = new Specimen(t, directory);
  specimen.add('f', specimen.file(Buffer.from('x'), { xattrs, mode: 0o644 }));
  const rootfs = specimen.rootfs();
  const out = target(directory);
  run('tar', ['--xattrs', '-xpf', await written(rootfs, directory), '-C', out]);
  const names = (listing: Listed[]) => listing.find(({ path }) => path === 'f')?.xattrs;
  assert.deepEqual(names(listDirectory(out)), names(listTree(rootfs)));
});

test(
  'busybox, which knows no PAX owners, finds them in the ustar fields',
  {
    skip: needs('busybox', 'python3', 'root'),
  },
  async (t) => {
    const directory = scratch(t);
    const specimen = new Specimen(t, directory);
    specimen.add('f', specimen.file(Buffer.from('x'), { mode: 0o4755, uid: 3_000_000, gid: 4_000_000 }));
    const out = target(directory);
    run('busybox', ['tar', '-xf', await written(specimen.rootfs(), directory), '-C', out]);
    const { mode, uid, gid } = listDirectory(out).find(({ path }) => path === 'f')!;
    assert.deepEqual({ mode, uid, gid }, { mode: 0o4755, uid: 3_000_000, gid: 4_000_000 });
  },
);

async function prepared(t: TestContext) {
  const directory = scratch(t);
  const tree = everything(t, directory);
  return { directory, tree, archive: await written(tree, directory), out: target(directory) };
}

/** An OCI layout of one image of one layer, made by hand. */
function writeLayout(layout: string, layer: Buffer): void {
  mkdirSync(join(layout, 'blobs/sha256'), { recursive: true });
  const blob = (mediaType: string, bytes: Buffer) => {
    const hex = createHash('sha256').update(bytes).digest('hex');
    writeFileSync(join(layout, 'blobs/sha256', hex), bytes);
    return { mediaType, digest: `sha256:${hex}`, size: bytes.length };
  };
  const json = (mediaType: string, value: unknown) => blob(mediaType, Buffer.from(JSON.stringify(value)));
  const stored = blob('application/vnd.oci.image.layer.v1.tar', layer);
  const config = json('application/vnd.oci.image.config.v1+json', {
    architecture: 'amd64',
    os: 'linux',
    config: {},
    rootfs: { type: 'layers', diff_ids: [stored.digest] },
  });
  const manifest = json('application/vnd.oci.image.manifest.v1+json', {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config,
    layers: [stored],
  });
  const annotations = { 'org.opencontainers.image.ref.name': 'latest' };
  writeFileSync(join(layout, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  writeFileSync(
    join(layout, 'index.json'),
    JSON.stringify({ schemaVersion: 2, manifests: [{ ...manifest, annotations }] }),
  );
}

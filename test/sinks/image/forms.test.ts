import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { listTar } from '../../support/list-tar.js';
import { lines } from '../../support/listing.js';
import { needs } from '../../support/needs.js';
import { scratch } from '../../support/scratch.js';
import { FLAT_TAR } from '../../support/sinks.js';
import { checkLayout, DEMO, json, squash, sum, untar } from './made.js';

/** The config of the demo image. */
function demoConfig(directory: string): Record<string, unknown> {
  const image = untar(DEMO, join(directory, 'demo'));
  const [{ Config }] = JSON.parse(readFileSync(join(image, 'manifest.json'), 'utf8')) as [{ Config: string }];
  return json(join(image, Config));
}

test('an OCI layout: schemas, digests, names, the config field by field', async (t) => {
  const directory = scratch(t);
  const layout = join(directory, 'layout');
  const { artifact, format } = await squash(`oci:${layout}:1.0`);
  const { top, images } = checkLayout(layout);
  assert.equal(format, 'oci');
  assert.equal(artifact.digest, top.digest);
  assert.deepEqual(artifact.losses, []);
  assert.equal(top.annotations!['org.opencontainers.image.ref.name'], '1.0');
  assert.deepEqual(top.platform, { architecture: 'amd64', os: 'linux' });
  const [{ manifest, config }] = images as [(typeof images)[0]];
  assert.equal(manifest.layers.length, 1);
  assert.match(String((manifest.annotations as Record<string, string>)['flatten.source.digest']), /^sha256:/);
  const { rootfs, history, ...rest } = config;
  const { rootfs: oldRootfs, history: oldHistory, ...before } = demoConfig(directory);
  assert.deepEqual(rest, before);
  const blob = readFileSync(join(layout, 'blobs', manifest.layers[0]!.digest.replace(':', '/')));
  assert.deepEqual(rootfs.diff_ids, [
    `sha256:${createHash('sha256').update(gunzipSync(blob)).digest('hex')}`,
  ]);
  assert.equal((history as unknown[]).length, 1);
  assert.ok(oldRootfs && oldHistory);
});

test('the layer is the flat tar of the tree', { skip: needs('python3') }, async (t) => {
  const directory = scratch(t);
  const layout = join(directory, 'layout');
  await squash(`oci:${layout}`);
  const [image] = checkLayout(layout).images;
  const layer = join(layout, 'blobs', image!.manifest.layers[0]!.digest.replace(':', '/'));
  assert.deepEqual(lines(listTar(layer)), lines(await FLAT_TAR.list(DEMO, directory)));
});

test('an OCI archive is the layout in a tar, its directories first', async (t) => {
  const directory = scratch(t);
  const [layout, archive] = [join(directory, 'layout'), join(directory, 'image.tar')];
  const made = await squash(`oci:${layout}:a`);
  const packed = await squash(`oci-archive:${archive}:a`);
  assert.equal(packed.artifact.digest, made.artifact.digest);
  assert.equal(packed.artifact.bytes, statSync(archive).size);
  const unpacked = untar(archive, join(directory, 'unpacked'));
  checkLayout(unpacked);
  const files = (path: string) => readdirSync(path, { recursive: true, encoding: 'utf8' }).sort();
  assert.deepEqual(files(unpacked), files(layout));
  const names = execFileSync('tar', ['-tf', archive], { encoding: 'utf8' }).split('\n');
  assert.deepEqual(names.slice(0, 2), ['blobs/', 'blobs/sha256/']);
});

test('a docker-archive: manifest.json, repositories, and what older engines read', async (t) => {
  const directory = scratch(t);
  const archive = join(directory, 'image.tar');
  const { artifact } = await squash(`docker-archive:${archive}:team/app:1.0`);
  const image = untar(archive, join(directory, 'image'));
  const [saved] = JSON.parse(readFileSync(join(image, 'manifest.json'), 'utf8'));
  assert.deepEqual(saved.RepoTags, ['team/app:1.0']);
  const config = readFileSync(join(image, saved.Config));
  assert.equal(sum(config), artifact.digest);
  assert.equal(`sha256:${saved.Config}`, `${artifact.digest}.json`);
  assert.equal(saved.Layers.length, 1);
  const { rootfs } = JSON.parse(config.toString());
  assert.deepEqual(rootfs.diff_ids, [sum(readFileSync(join(image, saved.Layers[0])))]);
  const id = saved.Layers[0].split('/')[0];
  assert.deepEqual(json(join(image, 'repositories')), { 'team/app': { '1.0': id } });
  assert.equal(readFileSync(join(image, id, 'VERSION'), 'utf8'), '1.0');
  const { id: own, parent, rootfs: none } = json(join(image, id, 'json'));
  assert.deepEqual([own, parent, none], [id, undefined, undefined]);
});

test('without a name there are no repositories; with the v1 format there is nothing newer', async (t) => {
  const directory = scratch(t);
  await squash(`docker-archive:${join(directory, 'bare.tar')}`);
  const bare = untar(join(directory, 'bare.tar'), join(directory, 'bare'));
  assert.equal(JSON.parse(readFileSync(join(bare, 'manifest.json'), 'utf8'))[0].RepoTags, null);
  assert.ok(!readdirSync(bare).includes('repositories'));
  await squash(`docker-archive:${join(directory, 'v1.tar')}:app`, { format: 'docker-archive-v1' });
  const v1 = untar(join(directory, 'v1.tar'), join(directory, 'v1'));
  const [id, ...others] = readdirSync(v1).sort();
  assert.match(id!, /^[0-9a-f]{64}$/);
  assert.deepEqual(others, ['repositories']);
  assert.deepEqual(readdirSync(join(v1, id!)).sort(), ['VERSION', 'json', 'layer.tar']);
});

test('layers are compressed on demand; the diffID stays', async (t) => {
  const directory = scratch(t);
  const diffIDs = new Set<string>();
  for (const compression of ['none', 'gzip', 'gzip:9', 'zstd', 'zstd:1']) {
    const layout = join(directory, compression.replace(':', '-'));
    await squash(`oci:${layout}`, { image: { compression } });
    const [image] = checkLayout(layout).images;
    const { mediaType } = image!.manifest.layers[0]!;
    const suffix = compression === 'none' ? '' : `+${compression.split(':')[0]}`;
    assert.equal(mediaType, `application/vnd.oci.image.layer.v1.tar${suffix}`);
    diffIDs.add(image!.config.rootfs.diff_ids[0]!);
  }
  assert.equal(diffIDs.size, 1);
});

test('a layer is gzip where registries and engines would keep it as it is, and uncompressed where docker load reads it', async (t) => {
  const directory = scratch(t);
  const head = (archive: string) => {
    const from = untar(archive, join(directory, `of ${basename(archive)}`));
    const blobs = readdirSync(from, { recursive: true, encoding: 'utf8' });
    const sizes = blobs.map((name) => join(from, name)).filter((path) => statSync(path).isFile());
    const largest = sizes.sort((a, b) => statSync(b).size - statSync(a).size)[0]!;
    return readFileSync(largest).subarray(0, 2).toString('hex');
  };
  for (const [transport, isGzip] of [
    ['oci-archive', true],
    ['docker-archive', false],
  ] as const) {
    const archive = join(directory, `${transport}.tar`);
    await squash(`${transport}:${archive}`);
    assert.equal(head(archive) === '1f8b', isGzip, transport);
  }
});

test('a level that a codec does not have: an error with those it has', async (t) => {
  const output = `oci:${join(scratch(t), 'layout')}`;
  for (const compression of ['gzip:0', 'gzip:13', 'zstd:20', 'none:1', 'xz', 'toString']) {
    await assert.rejects(squash(output, { image: { compression } }), {
      code: 'USAGE',
      hint: 'none, gzip, gzip:1 to gzip:12, zstd, zstd:1 to zstd:19',
    });
  }
});

test('changes, message, author and time go into the config', async (t) => {
  const layout = join(scratch(t), 'layout');
  await squash(`oci:${layout}`, {
    sourceDateEpoch: 1_600_000_000,
    image: { changes: ['ENV A=1', 'CMD ["x"]'], message: 'smaller', author: 'Ada' },
  });
  const [image] = checkLayout(layout).images;
  const { created, author, comment, history, config } = image!.config as Record<string, unknown>;
  assert.deepEqual([created, author, comment], ['2020-09-13T12:26:40Z', 'Ada', 'smaller']);
  assert.deepEqual((config as Record<string, unknown>).Cmd, ['x']);
  const [entry] = history as Record<string, string>[];
  assert.match(entry!.created_by!, /^flatten: 4 layers of sha256:/);
  assert.deepEqual([entry!.created, entry!.author, entry!.comment], [created, 'Ada', 'smaller']);
});

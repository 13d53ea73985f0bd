import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { dockerFiles, type ImageOptions, ociFiles, tarOf, writeFiles } from '../support/image.js';
import { scratch } from '../support/scratch.js';
import { archive, type Member } from '../support/tar.js';
import { layer, open, paths, put, session } from './opening.js';

const stack = [layer('base'), layer('middle'), layer('top')];
const whole = [['base'], ['middle'], ['top']];

/** The files of an archive with other contents for some, undefined for those to leave out. */
function changed(changes: Record<string, unknown>): ImageOptions {
  return {
    change(files) {
      for (const [path, value] of Object.entries(changes)) {
        if (value === undefined) files.delete(path);
        else files.set(path, Buffer.isBuffer(value) ? value : Buffer.from(JSON.stringify(value)));
      }
    },
  };
}

function manifestOf(files: ReadonlyMap<string, Buffer>): Record<string, unknown>[] {
  return JSON.parse(files.get('manifest.json')!.toString());
}

/** An archive whose manifest.json is changed. */
function remade(
  t: TestContext,
  change: (image: Record<string, unknown>, files: Map<string, Buffer>) => unknown,
): string {
  const files = dockerFiles(stack, '1.10');
  const images = change(manifestOf(files)[0]!, files);
  files.set('manifest.json', Buffer.from(JSON.stringify(images)));
  return put(t, tarOf(files));
}

for (const style of ['1.10', '25'] as const) {
  test(`docker save ${style}: layers base first, config whole, digest that of the config`, async (t) => {
    const files = dockerFiles(stack, style, { config: { 'x.unknown': 7 } });
    const context = session(t);
    const image = await open(t, put(t, tarOf(files)), {}, context);
    assert.deepEqual(await paths(image, context), whole);
    assert.equal(image.kind, 'docker-archive');
    assert.equal(image.name, 'test:latest');
    assert.equal(image.config?.json['x.unknown'], 7);
    const config = files.get(manifestOf(files)[0]!.Config as string)!;
    assert.equal(image.digest, `sha256:${createHash('sha256').update(config).digest('hex')}`);
    assert.match(image.layers[2]!.name, /^layer 3 of 3 \(sha256:[0-9a-f]{12}…\)$/);
    assert.deepEqual(context.warnings, []);
  });

  test(`docker save ${style}, unpacked to a directory`, async (t) => {
    const directory = scratch(t);
    writeFiles(directory, dockerFiles(stack, style));
    assert.deepEqual(await paths(await open(t, directory), session(t)), whole);
  });
}

test('layers may be compressed', async (t) => {
  const gzipped = stack.map((each) => ({ ...each, compression: 'gzip' as const }));
  const image = await open(t, put(t, tarOf(dockerFiles(gzipped, '25'))));
  assert.deepEqual(await paths(image, session(t)), whole);
});

test('a layer.tar may be a link to another', async (t) => {
  const files = dockerFiles([layer('a'), layer('a')], '1.10');
  const [first, second] = manifestOf(files)[0]!.Layers as [string, string];
  for (const [typeflag, linkpath] of [
    ['2', `../${first}`],
    ['1', first],
  ] as const) {
    const members: Member[] = [...files].map(([path, body]) =>
      path === second ? { path, typeflag, linkpath } : { path, body },
    );
    const image = await open(t, put(t, archive(members)));
    assert.deepEqual(await paths(image, session(t)), [['a'], ['a']]);
  }
});

test('a layer may be listed twice, and an image may have none', async (t) => {
  const twice = dockerFiles([layer('a'), layer('a')], '25');
  assert.deepEqual(await paths(await open(t, put(t, tarOf(twice))), session(t)), [['a'], ['a']]);
  const none = dockerFiles([], '25');
  none.set(
    'manifest.json',
    Buffer.from(JSON.stringify([{ ...manifestOf(none)[0], Layers: null, RepoTags: null }])),
  );
  const image = await open(t, put(t, tarOf(none)));
  assert.equal(image.layers.length, 0);
  assert.match(image.name, /^sha256:/);
});

test('a manifest.json with lower-case names, as some builders write it', async (t) => {
  const path = remade(t, ({ Config, Layers }) => [{ config: Config, layers: Layers, repoTags: ['x:1'] }]);
  assert.equal((await open(t, path)).name, 'x:1');
});

test('layer counts that differ are both named', async (t) => {
  const path = remade(t, (image) => [{ ...image, Layers: (image.Layers as string[]).slice(0, 1) }]);
  await assert.rejects(open(t, path), {
    code: 'BAD_IMAGE',
    message: 'test:latest: manifest.json lists 1 layer, its config 3 layers',
  });
});

test('what is missing or wrong is named', async (t) => {
  const refused: [(image: Record<string, unknown>, files: Map<string, Buffer>) => unknown, object][] = [
    [() => [], { code: 'BAD_IMAGE', message: 'manifest.json: lists no image' }],
    [() => [{}], { code: 'BAD_IMAGE', message: 'manifest.json[0].Config: missing' }],
    [(image) => [{ ...image, Layers: [7] }], { message: 'manifest.json[0].Layers[0]: 7 is not a string' }],
    [
      (image) => [{ ...image, Layers: {} }],
      { message: 'manifest.json[0].Layers: an object is not an array' },
    ],
    [(image) => [{ ...image, Config: 'no.json' }], { code: 'NOT_FOUND', message: /^no\.json: is not in / }],
    [
      (image, files) => {
        files.delete((image.Layers as string[])[1]!);
        return [image];
      },
      { code: 'NOT_FOUND', message: /^layer 2 of 3 \(sha256:.*…\): .*layer\.tar: is not in / },
    ],
    [
      (image, files) => {
        files.set(image.Config as string, Buffer.from('{"rootfs":{"type":"layers","diff_ids":["x"]}}'));
        return [image];
      },
      { code: 'BAD_IMAGE', message: /\.json\.rootfs\.diff_ids\[0\]: "x" is not a sha256/ },
    ],
    [
      (image, files) => {
        files.set(image.Config as string, Buffer.alloc(9 << 20, ' '));
        return [image];
      },
      { code: 'LIMIT', message: /has 9 MiB, and at most 8 MiB are read/ },
    ],
  ];
  for (const [change, error] of refused) await assert.rejects(open(t, remade(t, change)), error);
});

test('one large config that very many images share is read once', async (t) => {
  const path = remade(t, (image, files) => {
    files.set(image.Config as string, Buffer.from(`{"x":"${'x'.repeat(7 << 20)}"}`));
    return Array.from({ length: 1000 }, () => image);
  });
  await assert.rejects(open(t, path), { code: 'AMBIGUOUS', message: /1000 images may be meant/ });
});

test('index.json is used where manifest.json lacks the image or cannot be used', async (t) => {
  const both = (options: ImageOptions = {}) =>
    tarOf(new Map([...ociFiles(stack, { tag: 'other:1' }), ...dockerFiles(stack, '25', options)]));
  const first = await open(t, put(t, both()));
  assert.equal(first.kind, 'docker-archive');
  const other = await open(t, put(t, both()), { image: 'other:1' });
  assert.equal(other.kind, 'oci');
  const context = session(t);
  const bad = [{ Config: 'none', Layers: [], RepoTags: ['test:latest'] }];
  assert.equal((await open(t, put(t, both(changed({ 'manifest.json': bad }))), {}, context)).kind, 'oci');
  await assert.rejects(open(t, put(t, both()), { image: 'nope' }), { code: 'NOT_FOUND', hint: /other:1/ });
});

test('before Docker 1.10: parents are followed to the base, and the config is what the top layer says', async (t) => {
  const path = put(t, tarOf(dockerFiles(stack, 'v1')));
  const image = await open(t, path);
  assert.deepEqual(await paths(image, session(t)), whole);
  assert.equal(image.name, 'test:latest');
  assert.equal(image.digest, undefined);
  assert.deepEqual(Object.keys(image.config!.json), ['created', 'os', 'architecture']);
  assert.equal((await open(t, path, { image: 'test' })).layers.length, 3);
});

test('before Docker 1.10, without a name: the layer that none builds on', async (t) => {
  const files = dockerFiles(stack, 'v1', changed({ repositories: undefined }));
  assert.deepEqual(await paths(await open(t, put(t, tarOf(files))), session(t)), whole);
});

test('before Docker 1.10: a broken chain of parents is an error', async (t) => {
  const id = 'a'.repeat(64);
  const files = (json: object, top = id) =>
    tarOf(
      new Map(
        Object.entries({
          repositories: { x: { y: top } },
          [`${id}/json`]: json,
          [`${id}/layer.tar`]: '',
        }).map(([path, value]) => [
          path,
          Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)),
        ]),
      ),
    );
  const refused: [Buffer, object][] = [
    [files({ id, parent: id }), { code: 'BAD_IMAGE', message: `${id}/json: the layer is its own ancestor` }],
    [files({ id, parent: 'b'.repeat(64) }), { code: 'NOT_FOUND', message: /^b{64}\/json: is not in / }],
    [files({ id, parent: '../../etc' }), { message: /parent: "..\/..\/etc" is not the id of a layer/ }],
    [
      files({ id }, '../../x'),
      { message: /repositories\["x"\]\["y"\]: "..\/..\/x" is not the id of a layer/ },
    ],
  ];
  for (const [bytes, error] of refused) await assert.rejects(open(t, put(t, bytes)), error);
});

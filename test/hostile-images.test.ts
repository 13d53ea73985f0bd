import assert from 'node:assert/strict';
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { suite, type TestContext, test } from 'node:test';
import { FlattenError } from '../src/errors.js';
import { flatten } from '../src/flatten.js';
import { Canary } from './support/canary.js';
import { dockerFiles, ociFiles, tarOf, writeFiles } from './support/image.js';
import { sha256 } from './support/listing.js';
import { run } from './support/program.js';
import { scratch } from './support/scratch.js';
import { archive, type Member } from './support/tar.js';

type Files = Map<string, Buffer>;

/** A layer as the one outside, which an image must not reach: its one file would be in the output. */
const STOLEN = archive([{ path: 'stolen', body: Buffer.from('secret') }]);
const layers = [{ tar: archive([{ path: 'own', body: Buffer.from('1') }]) }];
const json = (value: unknown) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));

/** A directory with what is to be read through the image, beside which image and output lie. */
function place(t: TestContext): { directory: string; canary: Canary; outside: string } {
  const directory = scratch(t);
  const canary = new Canary(join(directory, 'around'));
  writeFileSync(join(directory, 'stolen.tar'), STOLEN);
  return { directory, canary, outside: join(directory, 'stolen.tar') };
}

async function refused(
  directory: string,
  canary: Canary,
  input: string,
  codes: readonly string[],
): Promise<void> {
  const output = join(directory, 'around', 'rootfs/');
  await assert.rejects(
    flatten({ input, output, tmp: directory, platform: 'linux/amd64', digests: false }),
    (error) => {
      assert.ok(error instanceof FlattenError, String((error as Error).stack));
      assert.ok(codes.includes(error.code), `${error.code}: ${error.message}`);
      return true;
    },
  );
  canary.assertUntouched([]);
}

/** Runs an image both as a tar and as a directory. */
async function bothRefused(
  t: TestContext,
  files: (outside: string) => Files,
  ...codes: readonly string[]
): Promise<void> {
  const { directory, canary, outside } = place(t);
  const made = files(outside);
  const tar = join(directory, 'image.tar');
  writeFileSync(tar, tarOf(made));
  await refused(directory, canary, `docker-archive:${tar}`, codes);
  writeFiles(join(directory, 'image'), made);
  await refused(directory, canary, `docker-archive:${join(directory, 'image')}`, codes);
}

const waysTo = (outside: string) => [
  outside,
  '../stolen.tar',
  'x/../../stolen.tar',
  `./${'../'.repeat(20)}${outside.slice(1)}`,
  '..',
  '/',
  '.',
  '',
];

suite('paths in manifest.json that lead out', () => {
  for (const field of ['Layers', 'Config'] as const) {
    for (const [index, name] of [
      'absolute',
      'up',
      'down and up',
      'up to the root',
      'the parent',
      'the root',
      'itself',
      'nothing',
    ].entries()) {
      test(`${field}: ${name}`, async (t) => {
        const change = (outside: string) => (files: Files) => {
          const [image] = JSON.parse(files.get('manifest.json')!.toString());
          const path = waysTo(outside)[index];
          files.set('manifest.json', json([{ ...image, [field]: field === 'Layers' ? [path] : path }]));
        };
        await bothRefused(
          t,
          (outside) => dockerFiles(layers, '1.10', { change: change(outside) }),
          'NOT_FOUND',
          'BAD_IMAGE',
        );
      });
    }
  }
});

suite('links in an image that lead out', () => {
  const styles = ['v1', '1.10', '25'] as const;
  const isLayer = (path: string) => path.endsWith('layer.tar') || /^blobs/.test(path);
  for (const style of styles) {
    for (const typeflag of ['1', '2'] as const) {
      for (const target of ['absolute', 'relative'] as const) {
        const kind = typeflag === '1' ? 'hard link' : 'symlink';
        test(`${style}: a layer that is a ${target} ${kind}`, async (t) => {
          const { directory, canary, outside } = place(t);
          const files = dockerFiles(layers, style);
          const linkpath =
            target === 'absolute' ? outside : '../'.repeat(typeflag === '1' ? 1 : 4) + outside.slice(1);
          const members = [...files].map(
            ([path, body]): Member => (isLayer(path) ? { path, typeflag, linkpath } : { path, body }),
          );
          writeFileSync(join(directory, 'image.tar'), archive(members));
          await refused(directory, canary, join(directory, 'image.tar'), ['BAD_IMAGE', 'NOT_FOUND']);
        });
      }
    }
    test(`${style}: a directory with a layer that is a symlink`, async (t) => {
      for (const up of [false, true]) {
        const { directory, canary, outside } = place(t);
        const files = dockerFiles(layers, style);
        const image = join(directory, 'image');
        writeFiles(image, files);
        for (const path of [...files.keys()].filter(isLayer)) {
          rmSync(join(image, path));
          symlinkSync(up ? `${'../'.repeat(30)}${outside.slice(1)}` : outside, join(image, path));
        }
        await refused(directory, canary, image, ['BAD_IMAGE']);
      }
    });
  }

  test('a directory of blobs that lies elsewhere', async (t) => {
    const { directory, canary } = place(t);
    const files = ociFiles([{ tar: STOLEN }]);
    writeFiles(join(directory, 'elsewhere'), files);
    for (const path of ['index.json', 'oci-layout'])
      writeFiles(join(directory, 'image'), new Map([[path, files.get(path)!]]));
    symlinkSync('../elsewhere/blobs', join(directory, 'image', 'blobs'));
    await refused(directory, canary, join(directory, 'image'), ['BAD_IMAGE']);
  });

  test('links in circles', async (t) => {
    const { directory, canary } = place(t);
    const image = join(directory, 'image');
    mkdirSync(image);
    symlinkSync('manifest.json', join(image, 'manifest.json'));
    await refused(directory, canary, `docker-archive:${image}`, ['BAD_IMAGE']);
    const circle: Member[] = [
      { path: 'manifest.json', typeflag: '2', linkpath: 'a/manifest.json' },
      { path: 'a', typeflag: '2', linkpath: 'a' },
    ];
    writeFileSync(join(directory, 'image.tar'), archive(circle));
    await refused(directory, canary, `docker-archive:${join(directory, 'image.tar')}`, [
      'BAD_IMAGE',
      'NOT_FOUND',
    ]);
  });

  test('what is no file: a fifo, a directory', async (t) => {
    for (const typeflag of ['5', '6', '3']) {
      const { directory, canary } = place(t);
      const files = dockerFiles(layers, '25');
      const members = [...files].map(
        ([path, body]): Member => (isLayer(path) ? { path, typeflag } : { path, body }),
      );
      writeFileSync(join(directory, 'image.tar'), archive(members));
      await refused(directory, canary, join(directory, 'image.tar'), ['NOT_FOUND', 'BAD_IMAGE']);
    }
  });
});

suite('digests that are none', () => {
  const hash = sha256(STOLEN);
  const digests = [
    'sha256:../../../stolen.tar',
    '../../stolen.tar',
    `sha256:${hash}/../../stolen.tar`,
    `sha256:../${hash}`,
    `../sha256:${hash}`,
    `sha256/../..:${hash}`,
    `sha256:${hash.toUpperCase()}`,
    `sha256:${hash}\n`,
    `sha256:${hash}0`,
    `sha512:${hash}`,
    `md5:${hash.slice(0, 32)}`,
    `__proto__:${hash}`,
    '',
    7,
    null,
    {},
    [`sha256:${hash}`],
  ];
  test('in the index', async (t) => {
    for (const digest of digests) {
      const change = (files: Files) => {
        const index = JSON.parse(files.get('index.json')!.toString());
        index.manifests[0].digest = digest;
        files.set('index.json', json(index));
      };
      const { directory, canary } = place(t);
      writeFiles(join(directory, 'image'), ociFiles(layers, { change }));
      await refused(directory, canary, join(directory, 'image'), ['BAD_IMAGE', 'NOT_FOUND']);
    }
  });
  test('in the manifest and the config', async (t) => {
    for (const digest of digests) {
      for (const part of ['layers', 'config', 'diff_ids']) {
        const files = ociFiles(layers);
        const index = JSON.parse(files.get('index.json')!.toString());
        const blob = (of: string) => `blobs/${of.replace(':', '/')}`;
        const manifestPath = blob(index.manifests[0].digest);
        const manifest = JSON.parse(files.get(manifestPath)!.toString());
        if (part === 'layers') manifest.layers[0].digest = digest;
        else if (part === 'config') manifest.config.digest = digest;
        else
          files.set(blob(manifest.config.digest), json({ rootfs: { type: 'layers', diff_ids: [digest] } }));
        files.set(manifestPath, json(manifest));
        const { directory, canary } = place(t);
        writeFiles(join(directory, 'image'), files);
        await refused(directory, canary, join(directory, 'image'), ['BAD_IMAGE', 'NOT_FOUND']);
      }
    }
  });
});

suite('before Docker 1.10', () => {
  for (const [name, id] of Object.entries({
    up: '../../..',
    absolute: '/',
    'a name': 'stolen.tar',
    nothing: '',
    object: { a: 1 },
  })) {
    test(`an id that is none: ${name}`, async (t) => {
      const change = (files: Files) => files.set('repositories', json({ 'test/image': { latest: id } }));
      await bothRefused(t, () => dockerFiles(layers, 'v1', { change }), 'BAD_IMAGE', 'NOT_FOUND');
    });
    test(`a parent that is none: ${name}`, async (t) => {
      const change = (files: Files) => {
        const path = [...files.keys()].find((path) => path.endsWith('/json'))!;
        const layer = JSON.parse(files.get(path)!.toString());
        files.set(path, json({ ...layer, parent: id || '0'.repeat(64) }));
      };
      await bothRefused(t, () => dockerFiles(layers, 'v1', { change }), 'BAD_IMAGE', 'NOT_FOUND');
    });
  }
  test('a layer that is its own ancestor', async (t) => {
    const change = (files: Files) => {
      const path = [...files.keys()].find((path) => path.endsWith('/json'))!;
      files.set(path, json({ id: dirname(path), parent: dirname(path) }));
    };
    await bothRefused(t, () => dockerFiles(layers, 'v1', { change }), 'BAD_IMAGE');
  });
});

suite('JSON that is not what it should be', () => {
  const POLLUTION = '{"__proto__":{"polluted":1,"Layers":["x"]},"constructor":{"prototype":{"polluted":1}}';
  const values = [
    '',
    '[',
    'null',
    'true',
    '7',
    '"text"',
    '[]',
    '{}',
    '[null]',
    '[[]]',
    '[{}]',
    '\ufeff[]',
    `${POLLUTION}}`,
    `[${POLLUTION}}]`,
    `[${POLLUTION},"Config":"x","Layers":["y"]}]`,
    '['.repeat(1_000_000),
    `${'['.repeat(1_000_000)}${']'.repeat(1_000_000)}`,
    `${'{"a":'.repeat(500_000)}1${'}'.repeat(500_000)}`,
    `[${'{"Config":"x","Layers":[]},'.repeat(1000)}{}]`,
    `[{"Config":"x","Layers":${'[["x"],'.repeat(5)}1${']'.repeat(5)}}]`,
    '[{"Config":7,"Layers":[]}]',
    '[{"Config":"__proto__","Layers":["constructor"],"RepoTags":["toString"]}]',
    `{"manifests":[{"digest":"sha256:${'0'.repeat(64)}","size":-1}]}`,
    '{"schemaVersion":2,"manifests":{"length":1,"0":{}}}',
    '{"toString":1,"manifests":{"map":7}}',
    `{"test":{"latest":{"toString":"x"}}}`,
    Buffer.from([0xff, 0xfe, 0x00, 0x7b]).toString('latin1'),
  ];
  for (const name of ['manifest.json', 'index.json', 'repositories']) {
    test(name, async (t) => {
      for (const value of values) {
        const { directory, canary } = place(t);
        writeFiles(
          join(directory, 'image'),
          new Map([
            [name, Buffer.from(value)],
            ['oci-layout', json({ imageLayoutVersion: '1.0.0' })],
          ]),
        );
        const transport = name === 'index.json' ? 'oci' : 'docker-archive';
        await refused(directory, canary, `${transport}:${join(directory, 'image')}`, [
          'BAD_IMAGE',
          'NOT_FOUND',
          'AMBIGUOUS',
          'LIMIT',
        ]);
      }
      assert.equal(({} as Record<string, unknown>).polluted, undefined);
    });
  }
  test('config and v1 json', async (t) => {
    for (const value of values) {
      const change = (files: Files) => {
        for (const path of files.keys())
          if (/^[0-9a-f]{64}(\.json|\/json)$/.test(path)) files.set(path, Buffer.from(value));
      };
      const { directory, canary } = place(t);
      writeFiles(join(directory, 'image'), dockerFiles(layers, '1.10', { change }));
      await refused(directory, canary, join(directory, 'image'), ['BAD_IMAGE', 'NOT_FOUND']);
      // Before Docker 1.10 a layer's JSON said nothing that is needed.
      writeFiles(join(directory, 'v1'), dockerFiles(layers, 'v1', { change }));
      await flatten({
        input: join(directory, 'v1'),
        output: join(directory, 'v1.tar'),
        tmp: directory,
      }).catch((error) => {
        assert.ok(error instanceof FlattenError, String((error as Error).stack));
      });
    }
    assert.equal(({} as Record<string, unknown>).polluted, undefined);
  });
});

test('names of images that a terminal would obey are printed as text', (t) => {
  const { directory } = place(t);
  const tag = '\u001b]0;pwned\u0007\u001b[2J:latest';
  writeFiles(join(directory, 'image'), dockerFiles(layers, '1.10', { tag }));
  const common = [join(directory, 'image'), '-o', join(directory, 'rootfs.tar')];
  const absent = run([...common, '--image', 'other']);
  const done = run(common);
  assert.deepEqual([absent.code, done.code], [1, 0]);
  for (const { stderr } of [absent, done]) {
    assert.match(stderr, /pwned/);
    assert.doesNotMatch(stderr, /\u001b|\u0007/);
  }
});

/** The package as npm packs it, installed where there is nothing else. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { needs } from './support/needs.js';
import { run } from './support/program.js';
import { PROJECT } from './support/project.js';
import { scratch } from './support/scratch.js';

const DEMO = join(PROJECT, 'test/images/demo.tar');
const MANIFEST = JSON.parse(readFileSync(join(PROJECT, 'package.json'), 'utf8'));

/** Files of a directory and all below it, by path from there. */
function filesIn(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((file) => file.isFile())
    .map(({ parentPath, name }) => join(parentPath, name).slice(directory.length + 1))
    .sort();
}

function output(command: string, args: readonly string[], cwd: string): string {
  return execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

/** What `scripts/codecs.mjs` copies, each with its licence. */
const CODECS = [
  '@cloudpss/zstd/LICENSE',
  '@cloudpss/zstd/dist/common.js',
  '@cloudpss/zstd/dist/config.js',
  '@cloudpss/zstd/dist/wasm.js',
  '@cloudpss/zstd/prebuilds/zstd.js',
  'libdeflate/LICENSE.txt',
  'libdeflate/dist/libdeflate.wasm.mjs',
  'libdeflate/index.js',
];

suite('the package', () => {
  const directory = scratch({ after });
  const prefix = join(directory, 'prefix');
  const unpacked = join(directory, 'package');
  const tarball = join(directory, `${MANIFEST.name}-${MANIFEST.version}.tgz`);

  test('the README names the tarball', () => {
    assert.ok(readFileSync(join(PROJECT, 'README.md'), 'utf8').includes(basename(tarball)));
  });

  before(() => {
    // Without scripts: `prepare` would build dist/ anew under the feet of the tests that run beside this one.
    const npm = ['--ignore-scripts', '--cache', join(directory, 'cache'), '--pack-destination', directory];
    output('npm', ['pack', ...npm], PROJECT);
    output('tar', ['-xzf', tarball], directory);
  });

  test('it holds the built source and what a user reads, and nothing else', () => {
    const built = filesIn(join(PROJECT, 'src'))
      .filter((file) => file.endsWith('.ts'))
      .flatMap((file) => ['.d.ts', '.js', '.js.map'].map((end) => `dist/src/${file.slice(0, -3)}${end}`));
    const codecs = CODECS.map((file) => `dist/src/compression/wasm/${file}`);
    const expected = [
      ...built,
      ...codecs,
      'dist/flatten.1',
      'CHANGELOG.md',
      'LICENSE',
      'README.md',
      'package.json',
    ];
    assert.deepEqual(filesIn(unpacked), expected.sort());
  });

  test('its source maps hold the source', () => {
    const maps = filesIn(unpacked).filter((file) => file.endsWith('.map'));
    assert.ok(maps.length > 100);
    for (const map of maps) {
      const { sources, sourcesContent } = JSON.parse(readFileSync(join(unpacked, map), 'utf8'));
      assert.equal(sourcesContent?.length, sources.length, map);
    }
  });

  test('publint finds no fault', () => {
    const publint = join(PROJECT, 'node_modules/.bin/publint');
    const said = output(publint, ['run', unpacked, '--strict', '--pack=false'], PROJECT);
    assert.match(said, /All good!/);
  });

  suite('from the registry', { skip: needs('npm registry') }, () => {
    before(() => {
      mkdirSync(prefix);
      output('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', tarball], prefix);
    });

    test('the types are right for whoever imports it', () => {
      const attw = ['--yes', '--prefer-offline', '@arethetypeswrong/cli@0.18.5', '--profile', 'esm-only'];
      const said = output('npx', [...attw, '--no-color', '--format', 'ascii', tarball], prefix); // throws on a problem
      assert.match(said, /^node16 \(from ESM\): 🟢/m);
      assert.match(said, /^bundler: 🟢/m);
    });

    test('the command asks for the Node that package.json asks for', () => {
      const program = readFileSync(
        join(prefix, `node_modules/${MANIFEST.name}`, MANIFEST.bin.flatten),
        'utf8',
      );
      const [, needed] = /const NEEDED = \[(\d+, \d+, \d+)\];/.exec(program)!;
      assert.equal(MANIFEST.engines.node, `>=${needed!.replaceAll(', ', '.')}`);
    });

    test('nothing is exported that nobody imports, and no file is left over', () => {
      const knip = [
        '--yes',
        '--prefer-offline',
        'knip@5.88.1',
        '--no-progress',
        '--config',
        'test/knip.json',
      ];
      output('npx', knip, PROJECT); // throws with the list
    });

    test('it brings none of the tools that it is developed with', () => {
      const there = filesIn(prefix).filter((file) => file.endsWith('/package.json'));
      for (const name of Object.keys(MANIFEST.devDependencies))
        assert.ok(!there.includes(`node_modules/${name}/package.json`), name);
      for (const name of Object.keys(MANIFEST.dependencies))
        assert.ok(there.includes(`node_modules/${name}/package.json`), name);
    });

    test('the command flattens the demo image as the one of the checkout does', () => {
      const flatten = join(prefix, 'node_modules/.bin/flatten');
      assert.equal(output(flatten, ['--version'], prefix), `${MANIFEST.version}\n`);
      output(flatten, [DEMO, '-o', 'rootfs.tar'], prefix);
      output(flatten, [DEMO, '-o', 'rootfs/', '--quiet'], prefix);
      assert.ok(existsSync(join(prefix, 'rootfs/etc')));
      const expected = run([DEMO, '-o', '-', '--quiet']).stdout;
      assert.ok(readFileSync(join(prefix, 'rootfs.tar')).equals(expected));
    });

    test('the program that src/README.md shows does what it says', { skip: needs('mke2fs') }, () => {
      const text = readFileSync(join(PROJECT, 'src/README.md'), 'utf8');
      const program = /```ts\n([\s\S]*?)```/.exec(text)![1]!;
      assert.ok(program.trimEnd().split('\n').length < 26);
      writeFileSync(join(prefix, 'stranger.mts'), program);
      const types = ['--typeRoots', join(PROJECT, 'node_modules/@types'), '--types', 'node'];
      const options = [
        '--strict',
        '--module',
        'nodenext',
        '--target',
        'es2022',
        '--lib',
        'es2022,esnext.disposable',
        ...types,
      ];
      output(join(PROJECT, 'node_modules/.bin/tsc'), [...options, 'stranger.mts'], prefix);
      const printed = output(process.execPath, ['stranger.mjs', DEMO], prefix);
      assert.match(printed, /^usr\/bin\/su from layer \d of 4 \(/m);
      assert.match(printed, /^NAME=/m);
      assert.match(printed, /^disk\.img has \d+ bytes$/m);
      assert.ok(existsSync(join(prefix, 'disk.img')));
    });

    test('a program imports the library, in JavaScript and in strict TypeScript', () => {
      const program = [
        `import { flatten, FlattenError, type FlattenResult } from '${MANIFEST.name}';`,
        `const result: FlattenResult = await flatten({ input: process.argv[2]!, output: 'library.tar' });`,
        `console.log(result.artifact.entries, FlattenError.name);`,
      ];
      writeFileSync(join(prefix, 'program.mts'), program.join('\n'));
      const types = ['--typeRoots', join(PROJECT, 'node_modules/@types'), '--types', 'node'];
      const options = ['--strict', '--module', 'nodenext', '--target', 'es2023', ...types];
      output(join(PROJECT, 'node_modules/.bin/tsc'), [...options, 'program.mts'], prefix);
      assert.equal(output(process.execPath, ['program.mjs', DEMO], prefix), '27 FlattenError\n');
    });
  });
});

import { existsSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { command, isThere } from './command.mjs';
import { debianLayers } from './debian.mjs';
import { prepareFleet } from './fleet.mjs';
import { assembleImage } from './image.mjs';
import { makeUpLayers } from './made-up.mjs';

/** Sizes from 0 to 3 KiB, as the small files of a package manager's or a web application's trees. */
const tiny = (index) => (index * 1_103) % 3072;
const KIB = 1024;

/**
 * The images that can be made here. `big` and `tiny` are what times are stated for; the others are pairs that differ
 * in one thing.
 */
const SHAPES = {
  tiny: { layers: 8, files: 100_000, perDirectory: 100, size: tiny },
  tiny2: { layers: 8, files: 200_000, perDirectory: 100, size: tiny },
  bytes: { layers: 8, files: 2_000, perDirectory: 100, size: () => 250 * KIB },
  bytes2: { layers: 8, files: 2_000, perDirectory: 100, size: () => 500 * KIB },
  wide: { layers: 1, files: 60_000, perDirectory: 60_000, size: () => 1 * KIB },
  spread: { layers: 1, files: 60_000, perDirectory: 100, size: () => 1 * KIB },
};

/**
 * An input in all its forms: `save` (docker save, uncompressed), `oci` (a layout, each layer gzip -6), `flat` (a tar of
 * the rootfs as GNU tar makes it), and where it lies. Made once and kept in `options.dir`.
 */
export async function prepareInput(name, options, say) {
  if (name === 'fleet') return prepareFleet(options, say);
  const suffix = options.scale === 1 ? '' : `-x${options.scale}`;
  const directory = join(options.dir, `${name.replaceAll(/[^\w.-]/g, '_')}${suffix}`);
  const input = describe(name, directory);
  if (existsSync(directory)) return input;
  const making = `${directory}.making`;
  rmSync(making, { recursive: true, force: true });
  mkdirSync(making, { recursive: true });
  say(`making ${name}, once: ${directory}`);
  if (options.images.includes(name)) await convertImage(name, making);
  else await makeImage(name, making, options.scale, say);
  await flattenOnce(describe(name, making), making, options.flatten);
  renameSync(making, directory);
  return input;
}

function describe(name, directory) {
  return {
    name,
    directory,
    save: join(directory, 'save.tar'),
    oci: join(directory, 'oci'),
    flat: join(directory, 'flat.tar'),
  };
}

async function makeImage(name, directory, scale, say) {
  const layers = join(directory, 'layers');
  mkdirSync(layers);
  const shape = SHAPES[name];
  const paths = shape
    ? makeUpLayers(layers, { ...shape, files: Math.ceil(shape.files * scale) })
    : await debianLayers(layers, scale, say);
  await assembleImage(directory, paths);
  rmSync(layers, { recursive: true });
}

async function convertImage(image, directory) {
  if (!isThere('skopeo'))
    throw new Error(`${image}: skopeo is needed to bring it into both forms (apt-get install skopeo)`);
  const source = `${await transportOf(image)}:${image}`;
  await command('skopeo', [
    'copy',
    '-q',
    source,
    `docker-archive:${join(directory, 'save.tar')}:flatten-bench:latest`,
  ]);
  // From the archive, whose layers are not compressed: so that all are gzip, whatever the image had.
  await command('skopeo', [
    'copy',
    '-q',
    '--dest-compress-format=gzip',
    `docker-archive:${join(directory, 'save.tar')}`,
    `oci:${join(directory, 'oci')}:latest`,
  ]);
}

async function transportOf(image) {
  if (statSync(image).isDirectory()) return 'oci';
  const names = await command('tar', ['-tf', image]);
  return names.split('\n').includes('manifest.json') ? 'docker-archive' : 'oci-archive';
}

/** The rootfs as people have it once flat: unpacked, then packed by GNU tar in the order of the directories. */
async function flattenOnce(input, directory, flatten) {
  const rootfs = join(directory, 'rootfs');
  await command(process.execPath, [flatten, input.save, '-q', '-o', `${rootfs}/`]);
  await command('tar', ['--numeric-owner', '-cf', input.flat, '-C', rootfs, '.']);
  rmSync(rootfs, { recursive: true });
}

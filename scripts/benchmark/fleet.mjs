import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { command, isThere } from './command.mjs';
import { assembleImage } from './image.mjs';
import { makeUpLayers } from './made-up.mjs';
import { serve } from './registry.mjs';

/** Images of a fleet, and bases that they share. */
const IMAGES = 100;
const BASES = 3;
const KIB = 1024;
const BASE = { layers: 2, files: 3_000, perDirectory: 100, size: (index) => ((index * 1_103) % 24) * KIB };
const OWN = { layers: 1, files: 100, perDirectory: 100, size: () => 16 * KIB };

/** How many images the fleet has at a scale. */
export const fleetSize = (scale) => Math.max(BASES, Math.ceil(IMAGES * scale));

/**
 * Many images that share three bases, in a registry of this machine, and a list of them. It is made once, and kept; the registry runs
 * until `close` is called.
 */
export async function prepareFleet(options, say) {
  const needed = ['docker-registry', 'skopeo'].find((program) => !isThere(program));
  if (needed) throw new Error(`fleet: needs ${needed}`);
  const directory = join(options.dir, `fleet${options.scale === 1 ? '' : `-x${options.scale}`}`);
  const making = `${directory}.making`;
  const isNew = !existsSync(directory);
  if (isNew) {
    rmSync(making, { recursive: true, force: true });
    mkdirSync(making, { recursive: true });
    say(`making fleet, once: ${directory}`);
    const registry = await serve(making);
    await pushAll(making, registry.host, options.scale);
    registry.close();
    renameSync(making, directory);
  }
  const { host, close } = await serve(directory);
  const list = join(directory, 'list');
  const names = Array.from(
    { length: fleetSize(options.scale) },
    (_, image) => `docker://${host}/fleet/app:${image}`,
  );
  writeFileSync(list, `${names.join('\n')}\n`);
  const made = join(directory, 'made');
  const input = { name: 'fleet', directory, list, made, close };
  await command(process.execPath, [options.flatten, ...batchOf(input, `${made}/{tag}.ext4`)]);
  return input;
}

/** The words of a batch of it, two at a time. */
export const batchOf = ({ list, directory }, output) => [
  'batch',
  list,
  '-o',
  output,
  '-j',
  '2',
  '-q',
  '--cache',
  output.startsWith('/') ? join(directory, 'cache') : 'cache',
];

async function pushAll(directory, host, scale) {
  const layers = (name, shape) => {
    const place = join(directory, 'layers', name);
    mkdirSync(place, { recursive: true });
    return makeUpLayers(place, {
      ...shape,
      files: Math.max(shape.layers, Math.ceil(shape.files * Math.min(scale * 4, 1))),
      name,
    });
  };
  const bases = Array.from({ length: BASES }, (_, base) => layers(`base-${base}`, BASE));
  for (let image = 0; image < fleetSize(scale); image++) {
    const place = join(directory, 'image');
    mkdirSync(place);
    await assembleImage(place, [...bases[image % BASES], ...layers(`own-${image}`, OWN)]);
    await command('skopeo', [
      '--insecure-policy',
      'copy',
      '-q',
      '--dest-tls-verify=false',
      `oci:${join(place, 'oci')}:latest`,
      `docker://${host}/fleet/app:${image}`,
    ]);
    rmSync(place, { recursive: true });
  }
  rmSync(join(directory, 'layers'), { recursive: true });
}

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { allCases } from '../support/case.js';
import { layerTar } from '../support/case-layer.js';
import { dockerFiles, type ImageLayer, tarOf } from '../support/image.js';

/** Archives of the first cases that have a tree, as `docker save` writes them: `images/NAME.tar`. Gives the names. */
export function caseArchives(cwd: string, count: number): string[] {
  mkdirSync(join(cwd, 'images'), { recursive: true });
  const cases = allCases().filter(
    ({ error, options, layers }) =>
      error === undefined &&
      options.length === 0 &&
      layers.every(({ packing }) => packing.compression === 'none'),
  );
  const step = Math.floor(cases.length / count);
  return Array.from({ length: count }, (_, index) => {
    const one = cases[index * step]!;
    const name = one.name.replaceAll('/', '-');
    const layers = one.layers.map((layer) => ({ tar: layerTar(layer) }));
    saveImage(join(cwd, 'images', `${name}.tar`), layers, `cases/${name}:1.0`);
    return name;
  });
}

/** Writes what `docker save` would. */
export function saveImage(path: string, layers: readonly ImageLayer[], tag = 'test:latest'): void {
  writeFileSync(path, tarOf(dockerFiles(layers, '25', { tag })));
}

/** A list of archives of {@link caseArchives}, a line each. */
export function listOf(names: readonly string[]): string {
  return names.map((name) => `images/${name}.tar\n`).join('');
}

/** Names in a directory without records, sorted; private directories too. */
export function outputsIn(directory: string): string[] {
  return readdirSync(directory)
    .filter((name) => !name.endsWith('.flatten.json'))
    .sort();
}

/** The entries of a report. */
export function reportAt(path: string): Record<string, unknown>[] {
  return readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
}

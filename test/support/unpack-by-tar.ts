import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { listDirectory } from './list-directory.js';
import type { Row } from './listing.js';
import { pathOf, type RealArchive } from './real-images.js';

/** An image's tree as a short script would make it: unpack the archive, then layer upon layer with GNU tar. */
export function unpackByTar(archive: RealArchive, digest: string | undefined, scratch: string): Row[] {
  const directory = mkdtempSync(join(scratch, 'by-tar-'));
  const [image, rootfs] = [join(directory, 'image'), join(directory, 'rootfs')];
  for (const path of [image, rootfs]) mkdirSync(path);
  execFileSync('tar', ['-xf', pathOf(archive), '-C', image]);
  for (const layer of layersOf(image, digest)) unpack(layer, rootfs);
  const rows = listDirectory(rootfs);
  rmSync(directory, { recursive: true });
  return rows;
}

function layersOf(image: string, digest: string | undefined): string[] {
  const blob = (digest: string) => join(image, 'blobs', digest.replace(':', '/'));
  if (existsSync(join(image, 'repositories'))) return v1Layers(image);
  const wanted = digest ?? readJson(join(image, 'index.json')).manifests[0].digest;
  return readJson(blob(wanted)).layers.map((layer: { digest: string }) => blob(layer.digest));
}

function v1Layers(image: string): string[] {
  const [tags] = Object.values<Record<string, string>>(readJson(join(image, 'repositories')));
  const layers: string[] = [];
  for (let id = Object.values(tags!)[0]; id; id = readJson(join(image, id, 'json')).parent)
    layers.unshift(join(image, id, 'layer.tar'));
  return layers;
}

// biome-ignore lint/suspicious/noExplicitAny: JSON of an archive that others made
function readJson(path: string): any {
  return JSON.parse(readFileSync(path, 'utf8'));
}

function unpack(layer: string, rootfs: string): void {
  if (statSync(layer).size === 0) return;
  const names = execFileSync('tar', ['-tf', layer], { encoding: 'utf8' }).split('\n');
  for (const name of names.filter((name) => basename(name).startsWith('.wh.'))) {
    const parent = join(rootfs, dirname(name));
    const isOpaque = basename(name) === '.wh..wh..opq';
    const gone = isOpaque && existsSync(parent) ? readdirSync(parent) : [basename(name).slice(4)];
    for (const child of gone) rmSync(join(parent, child), { recursive: true, force: true });
  }
  execFileSync('tar', ['-xpf', layer, '-C', rootfs, '--numeric-owner', '--xattrs', '--exclude=.wh.*']);
}

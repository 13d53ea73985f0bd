import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { compress, type Packing } from './compress.js';
import { sha256 } from './listing.js';
import { archive } from './tar.js';

/** A layer to be put into an image. */
export interface ImageLayer extends Partial<Packing> {
  readonly tar: Buffer;
}

export interface ImageOptions {
  /** `name:tag`, or for an OCI layout `tag`. Default: `test:latest`. */
  readonly tag?: string;
  /** Fields over the usual ones of the config. */
  readonly config?: Record<string, unknown>;
  /** Changes the files of the image before they are written: to break digests, to lose blobs. */
  readonly change?: (files: Map<string, Buffer>) => void;
}

const OCI = 'application/vnd.oci.image';

/** The files of an OCI layout with one image. */
export function ociFiles(layers: readonly ImageLayer[], options: ImageOptions = {}): Map<string, Buffer> {
  const files = new Map<string, Buffer>();
  const blob = (mediaType: string, bytes: Buffer) => {
    const hash = sha256(bytes);
    files.set(`blobs/sha256/${hash}`, bytes);
    return { mediaType, digest: `sha256:${hash}`, size: bytes.length };
  };
  const stored = layers.map((layer) => blob(mediaType(layer), pack(layer)));
  const config = blob(`${OCI}.config.v1+json`, json(configOf(layers, options)));
  const manifest = blob(
    `${OCI}.manifest.v1+json`,
    json({ schemaVersion: 2, mediaType: `${OCI}.manifest.v1+json`, config, layers: stored }),
  );
  const annotations = { 'org.opencontainers.image.ref.name': options.tag ?? 'latest' };
  files.set('oci-layout', json({ imageLayoutVersion: '1.0.0' }));
  files.set('index.json', json({ schemaVersion: 2, manifests: [{ ...manifest, annotations }] }));
  options.change?.(files);
  return files;
}

/** The files of `docker save`: `1.10` has a directory a layer, `25` has blobs. */
export function dockerFiles(
  layers: readonly ImageLayer[],
  style: 'v1' | '1.10' | '25',
  options: ImageOptions = {},
): Map<string, Buffer> {
  const files = new Map<string, Buffer>();
  const tag = options.tag ?? 'test:latest';
  if (style === 'v1') v1Layers(files, layers, tag);
  else {
    const config = json(configOf(layers, options));
    const blobs = style === '25' ? 'blobs/sha256/' : '';
    const Config = `${blobs}${sha256(config)}${style === '25' ? '' : '.json'}`;
    files.set(Config, config);
    const Layers = layers.map((layer, index) => {
      const bytes = pack(layer);
      const path = style === '25' ? `${blobs}${sha256(bytes)}` : `${layerID(index, layer)}/layer.tar`;
      files.set(path, bytes);
      return path;
    });
    files.set('manifest.json', json([{ Config, RepoTags: [tag], Layers }]));
  }
  options.change?.(files);
  return files;
}

/** Docker before 1.10: nothing but `repositories`, and a directory for each layer that names its parent. */
function v1Layers(files: Map<string, Buffer>, layers: readonly ImageLayer[], tag: string): void {
  let parent: string | undefined;
  for (const [index, layer] of layers.entries()) {
    const id = layerID(index, layer);
    files.set(`${id}/VERSION`, Buffer.from('1.0'));
    files.set(
      `${id}/json`,
      json({ id, ...(parent && { parent }), created: '2015-01-01T00:00:00Z', ...PLATFORM }),
    );
    files.set(`${id}/layer.tar`, pack(layer));
    parent = id;
  }
  const colon = tag.lastIndexOf(':');
  files.set('repositories', json({ [tag.slice(0, colon)]: { [tag.slice(colon + 1)]: parent } }));
}

/** Writes an image's files below a directory. */
export function writeFiles(directory: string, files: ReadonlyMap<string, Buffer>): void {
  for (const [path, bytes] of files) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), bytes);
  }
}

/** An image's files as a tar. */
export function tarOf(files: ReadonlyMap<string, Buffer>): Buffer {
  return archive([...files].map(([path, body]) => ({ path, body })));
}

const PLATFORM = { os: 'linux', architecture: goArchitecture() };

function goArchitecture(): string {
  const names: Record<string, string> = { x64: 'amd64', ia32: '386' };
  return names[process.arch] ?? process.arch;
}

function configOf(layers: readonly ImageLayer[], { config }: ImageOptions): object {
  const diff_ids = layers.map(({ tar }) => `sha256:${sha256(tar)}`);
  return { ...PLATFORM, config: { Cmd: ['/bin/sh'] }, rootfs: { type: 'layers', diff_ids }, ...config };
}

function pack({ tar, compression = 'none', ...packing }: ImageLayer): Buffer {
  return compress(tar, { compression, ...packing });
}

function mediaType({ compression = 'none' }: ImageLayer): string {
  const suffix = compression === 'none' ? '' : compression === 'zstd' ? '+zstd' : '+gzip';
  return `${OCI}.layer.v1.tar${suffix}`;
}

function layerID(index: number, { tar }: ImageLayer): string {
  return sha256(Buffer.concat([Buffer.from(`${index}:`), tar]));
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

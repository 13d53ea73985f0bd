import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { flatten } from '../../../src/flatten.js';
import type { FlattenOptions, FlattenResult } from '../../../src/options.js';
import { assertValid } from '../../support/oci-schema.js';
import { PROJECT } from '../../support/project.js';

export const DEMO = join(PROJECT, 'test/images/demo.tar');
/** What the program in the demo image prints. */
export const GREETING = 'hello from one filesystem, made of four layers\n';

/** Flattens the demo image, unless `options` name another. */
export function squash(
  output: string,
  options: Omit<FlattenOptions, 'input' | 'output'> & { readonly input?: string } = {},
): Promise<FlattenResult> {
  return flatten({ input: DEMO, ...options, output });
}

type Fields = Record<string, unknown>;

export interface Pointer {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly annotations?: Record<string, string>;
  readonly platform?: Fields;
}

/** An image of an OCI layout. */
export interface MadeImage {
  readonly manifest: { readonly config: Pointer; readonly layers: readonly Pointer[] } & Fields;
  readonly config: Fields & { readonly rootfs: { readonly diff_ids: readonly string[] } };
}

/** Unpacks an archive with GNU tar, into a new directory. */
export function untar(archive: string, directory: string): string {
  mkdirSync(directory);
  execFileSync('tar', ['-xf', archive, '-C', directory]);
  return directory;
}

/**
 * The images of a layout, and the index that lists them; asserts that all JSON is as the specification has it, that every
 * blob has its digest and size, and every layer (uncompressed or gzip) its diffID.
 */
export function checkLayout(layout: string): { top: Pointer; images: MadeImage[] } {
  assertValid('image-layout', json(join(layout, 'oci-layout')));
  const index = json(join(layout, 'index.json')) as { manifests: Pointer[] };
  assertValid('image-index', index);
  const [top] = index.manifests;
  const manifests = top!.mediaType.includes('.index.')
    ? (JSON.parse(blob(layout, top!).toString()) as { manifests: Pointer[] })
    : index;
  assertValid('image-index', manifests);
  return { top: top!, images: manifests.manifests.map((pointer) => imageAt(layout, pointer)) };
}

function imageAt(layout: string, pointer: Pointer): MadeImage {
  const manifest = JSON.parse(blob(layout, pointer).toString()) as MadeImage['manifest'];
  assertValid('image-manifest', manifest);
  const config = JSON.parse(blob(layout, manifest.config).toString()) as MadeImage['config'];
  assertValid('config', config);
  for (const [index, layer] of manifest.layers.entries()) {
    const bytes = blob(layout, layer);
    if (layer.mediaType.endsWith('+zstd')) continue;
    const tar = layer.mediaType.endsWith('+gzip') ? gunzipSync(bytes) : bytes;
    assert.equal(sum(tar), config.rootfs.diff_ids[index]);
  }
  return { manifest, config };
}

function blob(layout: string, { digest, size }: Pointer): Buffer {
  const bytes = readFileSync(join(layout, 'blobs', digest.replace(':', '/')));
  assert.equal(sum(bytes), digest);
  assert.equal(bytes.length, size);
  return bytes;
}

export function json(path: string): Fields {
  return JSON.parse(readFileSync(path, 'utf8')) as Fields;
}

export function sum(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

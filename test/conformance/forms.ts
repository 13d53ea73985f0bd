import { mkdirSync, writeFileSync } from 'node:fs';
import type { Case } from '../support/case.js';
import { layerTar } from '../support/case-layer.js';
import { dockerFiles, type ImageLayer, ociFiles, tarOf, writeFiles } from '../support/image.js';

export const FORMS = ['oci', 'oci-archive', 'docker-archive'] as const;
/** How a case's image is stored. */
export type Form = (typeof FORMS)[number];

/** The name that a case's image has in a docker-archive and in a registry. */
export function referenceOf({ name }: Case): string {
  return `layer-suite/${name.replace('/', '-')}:latest`;
}

/** Writes a case's image: a directory for `oci`, else a file. `config` has fields over the usual ones. */
export function writeImage(one: Case, form: Form, path: string, config?: object): void {
  const files = form === 'docker-archive' ? dockerFilesOf(one, config) : ociFilesOf(one, config);
  if (form === 'oci') {
    mkdirSync(path, { recursive: true });
    writeFiles(path, files);
  } else {
    writeFileSync(path, tarOf(files));
  }
}

/** The files of a case's OCI layout. */
export function ociFilesOf(one: Case, config = {}): Map<string, Buffer> {
  return ociFiles(layersOf(one), { config });
}

function dockerFilesOf(one: Case, config = {}): Map<string, Buffer> {
  return dockerFiles(layersOf(one), '1.10', { tag: referenceOf(one), config });
}

function layersOf({ layers }: Case): ImageLayer[] {
  return layers.map((layer) => ({ tar: layerTar(layer), ...layer.packing }));
}

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { PROJECT } from './project.js';

/** An image of a real archive, as `INDEX.jsonl` describes it. */
export interface RealImage {
  readonly tags: readonly (string | null)[] | null;
  readonly platform: string | null;
  /** Of umoci: `ok`, an error, or null where a blob is missing. */
  readonly umoci: string | null;
  /** Path of the listing of its tree; absent where nobody could unpack it. */
  readonly expected?: string;
}

/** An archive, what it is, and what other tools said of it. */
export interface RealArchive {
  readonly file: string;
  readonly format: string;
  readonly images: readonly RealImage[];
}

/** Where the archives are: `FLATTEN_IMAGES`, or beside the checkout. */
const HOME = process.env.FLATTEN_IMAGES ?? join(PROJECT, '..', 'shared', 'images');

/** A skip reason where the archives are not there. They belong to others and are no part of the project. */
const NO_IMAGES: string | false = existsSync(join(HOME, 'INDEX.jsonl'))
  ? false
  : `needs the real archives (FLATTEN_IMAGES, or ${HOME})`;

/**
 * A suite about the archives, skipped by name where they are not there. CI, which skips nothing, has no place for them:
 * there the suite is left out, and that is said.
 */
export function realSuite(name: string, tests: () => void): void {
  if (NO_IMAGES && process.env.CI) console.log(`${name}: left out: ${NO_IMAGES}`);
  else suite(name, { skip: NO_IMAGES }, tests);
}

export function realArchives(): RealArchive[] {
  if (NO_IMAGES) return [];
  const lines = readFileSync(join(HOME, 'INDEX.jsonl'), 'utf8').trim().split('\n');
  return lines.map((line) => JSON.parse(line) as RealArchive);
}

export function pathOf({ file }: RealArchive): string {
  return join(HOME, file);
}

/** The lines of the listing that an image must give. */
export function expectedLines({ expected }: RealImage): string[] {
  const text = gunzipSync(readFileSync(join(HOME, expected!))).toString('latin1');
  return text.split('\n').slice(0, -1);
}

/** How to ask for each image of an archive, in the order of `images`: its digest in an OCI layout, its tag else. */
export function choices(archive: RealArchive, scratch: string): (string | undefined)[] {
  const { images, format } = archive;
  if (images.length === 1) return [undefined];
  if (format !== 'OCI layout') return images.map(({ tags }) => tags?.[0] ?? undefined);
  execFileSync('tar', ['-xf', pathOf(archive), '-C', scratch]);
  return [...manifests(scratch, readJson(join(scratch, 'index.json')))];
}

interface Index {
  readonly manifests?: readonly { readonly digest: string }[];
}

function readJson(path: string): Index {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Index;
  } catch {
    return {};
  }
}

/** Digests of all manifests that indexes lead to, depth first. */
function* manifests(layout: string, index: Index): Generator<string> {
  for (const { digest } of index.manifests ?? []) {
    const nested = readJson(join(layout, 'blobs', digest.replace(':', '/')));
    if (nested.manifests === undefined) yield digest;
    else yield* manifests(layout, nested);
  }
}

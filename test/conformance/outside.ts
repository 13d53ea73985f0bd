import { lstatSync, mkdirSync, readdirSync, rmdirSync, unlinkSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, normalize, relative } from 'node:path';
import type { Case } from '../support/case.js';
import type { Member } from '../support/tar.js';

/** What lies around a tree that a tool makes, to tell whether it wrote there. */
export interface Surroundings {
  /** What was changed, told as a path; undefined where nothing was. What came to be is taken away again. */
  changed(): string | undefined;
}

/**
 * Looks around `rootfs` before a run: into the directories above it, up to `top`, and at every place on this machine
 * where a name of the case would lead if it were not kept inside. `own` are names beside `rootfs` that the tool may make.
 */
export function lookAround(
  one: Case,
  rootfs: string,
  top: string,
  own: (name: string) => boolean,
): Surroundings {
  const places = placesOf(one, rootfs);
  // What a marker that leads out would remove has to be there.
  const baits = places
    .filter((path) => basename(path).startsWith('.wh.') && path.startsWith(`${top}/`))
    .map(unmarked);
  for (const path of baits) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, 'outside');
  }
  const free = places.filter((path) => !isThere(path));
  const around = directoriesAbove(rootfs, top).map((path) => ({ path, names: new Set(readdirSync(path)) }));
  return {
    changed() {
      const gone = baits.find((path) => !isThere(path));
      const written = free.filter(isThere);
      for (const path of written) remove(path);
      if (gone !== undefined) return `${relative(dirname(rootfs), gone)}, removed`;
      if (written.length > 0) return told(written[0]!, rootfs);
      for (const { path, names } of around)
        for (const name of readdirSync(path))
          if (!names.has(name) && join(path, name) !== rootfs && !(path === dirname(rootfs) && own(name)))
            return told(join(path, name), rootfs);
      return undefined;
    },
  };
}

/** Whether a name of the case would lead to a place on this machine that is not below `top`. */
export function leadsOut(one: Case, rootfs: string, top: string): boolean {
  return placesOf(one, rootfs).some((path) => !path.startsWith(`${top}/`));
}

function placesOf(one: Case, rootfs: string): string[] {
  return escapes(one).map((path) => (path.startsWith('/') ? path : join(rootfs, path)));
}

/**
 * The places that a case's names lead to where nobody keeps them inside the root: absolute ones, and ones relative to
 * the root that begin with `..`.
 */
export function escapes({ layers }: Case): string[] {
  const members = layers.flatMap(({ members }) => members.filter(isMember));
  const links = new Map(
    members
      .filter(({ typeflag }) => typeflag === '2')
      .map(({ path, linkpath = '' }) => [normalize(path).replace(/^\/+/, ''), linkpath]),
  );
  const found = new Set<string>();
  for (const { path } of members) {
    if (path.includes('\0')) continue;
    const led = follow(normalize(path), links, 8).replace(/(?<=.)\/+$/, '');
    if (/^(\/.*[^/]|\.\.(\/.*)?)$/.test(led)) found.add(led);
  }
  return [...found];
}

/** A path with the symlinks on its way followed as they are written. */
function follow(path: string, links: ReadonlyMap<string, string>, more: number): string {
  if (more === 0) return path;
  const parts = path.split('/');
  for (let length = 1; length < parts.length; length++) {
    const prefix = parts.slice(0, length).join('/');
    const target = links.get(prefix);
    if (target === undefined) continue;
    const rest = parts.slice(length).join('/');
    return follow(
      normalize(target.startsWith('/') ? join(target, rest) : join(dirname(prefix), target, rest)),
      links,
      more - 1,
    );
  }
  return path;
}

function isMember(member: Member | Buffer): member is Member {
  return !Buffer.isBuffer(member);
}

function unmarked(path: string): string {
  return join(dirname(path), basename(path).slice('.wh.'.length));
}

function directoriesAbove(path: string, top: string): string[] {
  const parent = dirname(path);
  return parent === top ? [top] : [parent, ...directoriesAbove(parent, top)];
}

function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

function told(path: string, rootfs: string): string {
  return path.startsWith(dirname(dirname(rootfs))) ? relative(rootfs, path) : path;
}

function remove(path: string): void {
  try {
    if (lstatSync(path).isDirectory()) rmdirSync(path);
    else unlinkSync(path);
  } catch {} // it is told all the same
}

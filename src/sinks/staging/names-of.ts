import { join } from 'node:path';
import { type Mount, mounts } from '../../host/mounts.js';

/** How a directory is reached. */
export interface DirectoryNames {
  /** Its real path, and its paths by way of bind mounts of a directory that it is in. */
  readonly own: readonly string[];
  /** The mount points at or below it, and those where it, or a directory in it, is mounted. */
  readonly points: readonly string[];
}

/**
 * All names of a directory (real path, no trailing slash), since a bind mount shows the same files under another path. What
 * lies at or below one of them is lost when the directory is removed, or keeps it from being removed.
 */
export function namesOf(directory: string, table: readonly Mount[] = mounts()): DirectoryNames {
  const below = table.map(({ point }) => point).filter((point) => isWithin(point, directory));
  const here = mountOf(directory, table);
  if (here === undefined) return { own: [directory], points: below };
  const place = join(here.root, directory.slice(here.point.length));
  const same = table.filter(({ device }) => device === here.device);
  const own = same
    .filter(({ root }) => root !== place && isWithin(place, root))
    .map(({ root, point }) => join(point, place.slice(root.length)));
  const parts = same.filter(({ root }) => isWithin(root, place)).map(({ point }) => point);
  return { own: [...new Set([directory, ...own])], points: [...new Set([...below, ...parts])] };
}

/** Whether a real path is a directory, or in it, by one of its names. */
export function isInside(path: string, { own, points }: DirectoryNames): boolean {
  return [...own, ...points].some((name) => isWithin(path, name));
}

/** The mount that a path is seen by. */
function mountOf(path: string, table: readonly Mount[]): Mount | undefined {
  const around = table.filter(({ point }) => isWithin(path, point));
  return around.reduce<Mount | undefined>(
    (deepest, mount) => (mount.point.length >= (deepest?.point.length ?? 0) ? mount : deepest),
    undefined,
  );
}

/** Whether a path is a directory, or in it, as their names say. */
export function isWithin(path: string, directory: string): boolean {
  return path === directory || path.startsWith(directory.endsWith('/') ? directory : `${directory}/`);
}

import { type Digest, isDigest } from './digest.js';

/**
 * How well an image called `offered` fits what was asked for; smaller is better, undefined is another image.
 *
 * `wanted` may be the whole name, a name without its tag (`latest` fits best, then any), a bare tag where the archive
 * stores just that, or any of these with the front of the name left out: `busybox:1.36` for `library/busybox:1.36`.
 */
export function nameFit(wanted: string, offered: string): number | undefined {
  const [name] = offered.split('@', 1) as [string];
  const spellings = [offered, name, name.replace(/:latest$/, ''), withoutTag(name)];
  const whole = spellings.indexOf(wanted);
  if (whole >= 0) return whole;
  const tail = spellings.findIndex((spelling) => spelling.endsWith(`/${wanted}`));
  return tail < 0 ? undefined : spellings.length + tail;
}

/** The digest in `DIGEST`, `NAME@DIGEST`, or the first digits of one (twelve or more), as people paste it. */
export function digestWanted(wanted: string): string | undefined {
  const text = wanted.slice(wanted.lastIndexOf('@') + 1).toLowerCase();
  if (isDigest(text)) return text;
  const digits = /^(?:sha256:)?([0-9a-f]{12,64})…?$/.exec(text)?.[1];
  return digits && `sha256:${digits}`;
}

/** Whether a digest is the one that {@link digestWanted} found. */
export function digestFits(wanted: string, offered: Digest): boolean {
  return offered.startsWith(wanted);
}

/** A name without its tag. The colon of a port has a slash after it, that of a tag has none. */
function withoutTag(name: string): string {
  return name.replace(/:[^/:]*$/, '');
}

import { FlattenError } from '../errors.js';
import { GlobMatcher } from './glob-matcher.js';
import { compileGlob } from './glob-program.js';
import { components, MAX_PATH } from './path.js';

/** Whether a path of the tree (latin1, from the root, no leading slash) is meant. */
export type PathTest = (path: string) => boolean;

/**
 * Makes one test of several globs: `*` and `?` stay within a name, `**` between slashes crosses directories, `[a-z]` and
 * `{a,b}` are known, a backslash takes away a character's meaning, a leading dot is nothing special. A glob with a slash in
 * it starts at the root; one without means a name at any depth. Globs are text and so are names, but for bytes that are no
 * UTF-8, each of which is a character of its own. Each glob that a path was meant by is taken out of `idle`. Throws `USAGE`
 * for a glob that is longer than a path, or names nothing.
 */
export function pathTest(globs: readonly string[], idle = new Set<string>()): PathTest {
  const tests = globs.map((glob) => ({ glob, matcher: new GlobMatcher(compileGlob(anchored(glob))) }));
  return (path) => {
    const text = textOf(path);
    let isMeant = false;
    for (const { glob, matcher } of tests) {
      if (!matcher.test(text)) continue;
      idle.delete(glob);
      isMeant = true;
    }
    return isMeant;
  };
}

/** The glob from the root on. */
function anchored(glob: string): string {
  const { length } = Buffer.from(glob, 'utf8');
  if (length > MAX_PATH) {
    const start = Array.from(glob.slice(0, 60)).slice(0, 40).join('');
    throw new FlattenError(
      'USAGE',
      `the glob ${start}…: has ${length} bytes, and no path more than ${MAX_PATH}`,
    );
  }
  const names = components(glob);
  if (names.length === 0) throw new FlattenError('USAGE', `the glob ${JSON.stringify(glob)}: names nothing`);
  const path = names.join('/');
  return glob.replace(/\/+$/, '').includes('/') ? path : `**/${path}`;
}

/** Bytes that are no UTF-8 become halves of surrogate pairs, which no UTF-8 holds. */
function textOf(path: string): string {
  if (!/[^\x00-\x7f]/.test(path)) return path;
  const bytes = Buffer.from(path, 'latin1');
  const text = bytes.toString('utf8');
  if (!text.includes('\ufffd')) return text;
  return path.replace(CHARACTER, (found) => {
    const char = Buffer.from(found, 'latin1').toString('utf8');
    return found.length > 1 && !char.includes('\ufffd') ? char : bytewise(found);
  });
}

/** What may be a character of UTF-8 of several bytes, and every other byte above ASCII. */
const CHARACTER = /[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}|[\x80-\xff]/g;

function bytewise(bytes: string): string {
  return bytes.replace(/./gs, (byte) => String.fromCharCode(0xdc00 + byte.charCodeAt(0)));
}

import picomatch from 'picomatch';

/** Whether a path of the tree (latin1, from the root, no leading slash) is meant. */
export type PathTest = (path: string) => boolean;

/**
 * Makes one test of several globs: `*` and `?` stay within a name, `**` crosses directories, `[a-z]` and `{a,b}` are
 * known, a leading dot is nothing special. A glob with a slash in it starts at the root; one without means a name at
 * any depth. Globs are text, names are bytes: the text's UTF-8 is what counts. Each glob that a path was meant by is
 * taken out of `idle`.
 */
export function pathTest(globs: readonly string[], idle = new Set<string>()): PathTest {
  const tests = globs.map((glob) => {
    const bytes = Buffer.from(glob, 'utf8').toString('latin1').replace(/\/+$/, '');
    const anchored = bytes.replace(/^\/+/, '');
    const pattern = bytes.includes('/') ? anchored : `**/${anchored}`;
    return { glob, test: picomatch(pattern, { dot: true, nonegate: true }) };
  });
  return (path) => {
    let isMeant = false;
    for (const { glob, test } of tests) {
      if (!test(path)) continue;
      idle.delete(glob);
      isMeant = true;
    }
    return isMeant;
  };
}

import assert from 'node:assert/strict';
import { lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { suite, type TestContext, test } from 'node:test';
import { FlattenError } from '../src/errors.js';
import { flatten } from '../src/flatten.js';
import type { FlattenOptions } from '../src/options.js';
import { Canary } from './support/canary.js';
import { ociFiles, writeFiles } from './support/image.js';
import { needs } from './support/needs.js';
import { rowsOf } from './support/scan-bytes.js';
import { scratch } from './support/scratch.js';
import { archive, type Member } from './support/tar.js';

/** An image that tries to reach what lies beside the output. */
interface Attack {
  readonly name: string;
  /** `to` leads to the canary from the top of the output; it is absolute or relative. */
  readonly layers: (to: string) => readonly (readonly Member[])[];
  /** Every name that must come of it, as `kind path`, a symlink with `-> target`; or the error's code. */
  readonly gives: ((to: string) => readonly string[]) | FlattenError['code'];
  readonly keepDirlinks?: boolean;
}

const file = (path: string, more: Partial<Member> = {}): Member => ({
  path,
  body: Buffer.from('pwned'),
  ...more,
});
const folder = (path: string, more: Partial<Member> = {}): Member => ({
  path,
  typeflag: '5',
  mode: 0o777,
  ...more,
});
const symlink = (path: string, linkpath: string, more: Partial<Member> = {}): Member => ({
  path,
  typeflag: '2',
  linkpath,
  ...more,
});
const link = (path: string, linkpath: string, more: Partial<Member> = {}): Member => ({
  path,
  typeflag: '1',
  linkpath,
  ...more,
});
const fifo = (path: string): Member => ({ path, typeflag: '6' });
const device = (path: string, major: number, minor: number): Member => ({
  path,
  typeflag: '3',
  major,
  minor,
});
const inside = (to: string) => to.replace(/^\/|^(\.\.\/)+/, '');
/** Directories on the way to a path that is resolved inside the root. */
const ancestors = (path: string) =>
  path.split('/').map((_, index, all) => `d ${all.slice(0, index + 1).join('/')}`);

const THROUGH_SYMLINKS: readonly Attack[] = [
  {
    name: 'a file through a symlink of the same layer',
    layers: (to) => [[symlink('s', to), file('s/secret')]],
    gives: (to) => [...ancestors(inside(to)), `f ${inside(to)}/secret`, `l s -> ${to}`],
  },
  {
    name: 'a file through a symlink of a lower layer',
    layers: (to) => [[symlink('s', to)], [file('s/secret')]],
    gives: () => ['d s', 'f s/secret'],
  },
  {
    name: 'the same where symlinks of lower layers are followed',
    layers: (to) => [[symlink('s', to)], [file('s/secret'), folder('s', { mode: 0o777 })]],
    gives: () => ['d s', 'f s/secret'],
    keepDirlinks: true,
  },
  {
    name: 'the same where they lead somewhere inside too',
    layers: (to) => [
      [symlink('s', to), folder(inside(to))],
      [file('s/secret'), file('s/.wh.d'), file('s/d/.wh..wh..opq')],
    ],
    gives: (to) => [...ancestors(inside(to)), `d ${inside(to)}/d`, `f ${inside(to)}/secret`, `l s -> ${to}`],
    keepDirlinks: true,
  },
  {
    name: 'a chain of symlinks',
    layers: (to) => [[symlink('a', to), symlink('b', 'a'), symlink('c', './b/.'), file('c/secret')]],
    gives: (to) => [
      ...ancestors(inside(to)),
      `f ${inside(to)}/secret`,
      `l a -> ${to}`,
      'l b -> a',
      'l c -> ./b/.',
    ],
  },
  {
    name: 'a chain over layers, one step in each',
    layers: (to) => [[symlink('a', to)], [symlink('b', 'a')], [symlink('c', 'b')], [file('c/secret')]],
    gives: (to) => [`l a -> ${to}`, 'l b -> a', 'd c', 'f c/secret'],
  },
  {
    name: 'a step up at a time, until the root is left',
    layers: () => [
      [
        folder('d'),
        symlink('d/up', '..'),
        symlink('d/up2', 'up/..'),
        symlink('d/up3', 'up2/../..'),
        file('d/up3/canary/secret'),
      ],
    ],
    gives: () => [
      'd canary',
      'f canary/secret',
      'd d',
      'l d/up -> ..',
      'l d/up2 -> up/..',
      'l d/up3 -> up2/../..',
    ],
  },
  {
    name: 'a directory, then a symlink, then a file in it (CVE-2021-32803)',
    layers: (to) => [[folder('d'), symlink('d', to), file('d/secret')]],
    gives: (to) => [...ancestors(inside(to)), `f ${inside(to)}/secret`, `l d -> ${to}`],
  },
  {
    name: 'the same with slashes and dots (CVE-2021-37701)',
    layers: (to) => [[folder('d/'), symlink('./d', to), file('d/./secret'), file('.//d//d/f')]],
    gives: (to) => [
      ...ancestors(inside(to)),
      `d ${inside(to)}/d`,
      `f ${inside(to)}/d/f`,
      `f ${inside(to)}/secret`,
      `l d -> ${to}`,
    ],
  },
  {
    name: 'names that are one in Unicode or upper case only (CVE-2021-37712)',
    layers: (to) => [
      [
        folder('caf\xc3\xa9'),
        folder('X'),
        symlink('cafe\xcc\x81', to),
        symlink('x', to),
        file('caf\xc3\xa9/secret'),
        file('X/secret'),
      ],
    ],
    gives: (to) => [
      'd X',
      'f X/secret',
      `l cafe\xcc\x81 -> ${to}`,
      'd caf\xc3\xa9',
      'f caf\xc3\xa9/secret',
      `l x -> ${to}`,
    ],
  },
  {
    name: 'a file through a symlink to the file itself',
    layers: (to) => [[symlink('s', `${to}/secret`), file('s')]],
    gives: () => ['f s'],
  },
  {
    name: 'the same over layers',
    layers: (to) => [[symlink('s', `${to}/secret`)], [file('s', { mode: 0o4777, uid: 7 })]],
    gives: () => ['f s'],
  },
  {
    name: 'a directory over a symlink: mode, owner, times and xattrs',
    layers: (to) => [
      [
        symlink('s', to),
        folder('s', { mode: 0o7777, uid: 1234, mtime: 1n, xattrs: new Map([['user.x', Buffer.from('1')]]) }),
      ],
    ],
    gives: () => ['d s'],
  },
  {
    name: 'the same over layers',
    layers: (to) => [[symlink('s', to)], [folder('s/', { mode: 0o7777, uid: 1234 })]],
    gives: () => ['d s'],
  },
  {
    name: 'mode, owner, times and xattrs of the symlink itself',
    layers: (to) => [
      [
        symlink('s', to, {
          mode: 0o7777,
          uid: 1234,
          gid: 5678,
          mtime: 1n,
          xattrs: new Map([['trusted.x', Buffer.from('1')]]),
        }),
      ],
    ],
    gives: (to) => [`l s -> ${to}`],
  },
  {
    name: 'a directory described before and after a symlink takes its place',
    layers: (to) => [
      [
        folder('d', { mtime: 5n }),
        folder('d/d', { mode: 0 }),
        symlink('d', to),
        folder('d/d', { mode: 0, uid: 9 }),
      ],
    ],
    gives: (to) => [...ancestors(inside(to)), `d ${inside(to)}/d`, `l d -> ${to}`],
  },
  {
    name: 'a directory swapped for a symlink between layers',
    layers: (to) => [
      [folder('d'), file('d/secret'), file('d/d/f')],
      [symlink('d', to)],
      [file('d/secret'), file('d/.wh.d')],
    ],
    gives: () => ['d d', 'f d/secret'],
  },
  {
    name: 'a fifo, a device and files in their place: nothing is opened',
    layers: () => [
      [fifo('p'), device('null', 1, 3), device('mem', 1, 1)],
      [file('p'), file('null'), file('mem/x')],
      [file('null')],
    ],
    gives: () => ['d mem', 'f mem/x', 'f null', 'f p'],
  },
  {
    name: 'a fifo and a device, and another entry of that name in the same layer',
    layers: () => [[fifo('p'), link('q', 'p'), file('q'), device('null', 1, 3), file('null')]],
    gives: () => ['f null', 'p p', 'f q'],
  },
];

const THROUGH_HARD_LINKS: readonly Attack[] = [
  {
    name: 'a hard link to a file outside',
    layers: (to) => [[link('l', `${to}/secret`)]],
    gives: 'BAD_LAYER',
  },
  {
    name: 'the same, then written to (CVE-2014-6407)',
    layers: (to) => [[link('l', `${to}/secret`), file('l')]],
    gives: () => ['f l'],
  },
  {
    name: 'one that climbs',
    layers: () => [[folder('d'), link('d/l', 'd/../../canary/secret')]],
    gives: 'BAD_LAYER',
  },
  { name: 'one to /proc', layers: () => [[link('l', '/proc/self/environ')]], gives: 'BAD_LAYER' },
  {
    name: 'one through a symlink',
    layers: (to) => [[symlink('s', to), link('l', 's/secret')]],
    gives: 'BAD_LAYER',
  },
  {
    name: 'the same, then written to (CVE-2026-24842)',
    layers: (to) => [[symlink('s', to), link('l', 's/secret'), file('l')]],
    gives: (to) => ['f l', `l s -> ${to}`],
  },
  {
    name: 'one through a symlink of a lower layer',
    layers: (to) => [[symlink('s', to)], [link('l', 's/secret')]],
    gives: 'BAD_LAYER',
  },
  {
    name: 'one to a symlink that leads outside, then written to',
    layers: (to) => [[symlink('s', `${to}/secret`), link('l', 's'), file('l')]],
    gives: (to) => ['f l', `l s -> ${to}/secret`],
  },
  {
    name: 'the same over layers, with another mode',
    layers: (to) => [[symlink('s', `${to}/secret`)], [link('l', 's')], [file('l', { mode: 0o4777 })]],
    gives: (to) => ['f l', `l s -> ${to}/secret`],
  },
  {
    name: 'one to a symlink, then entered as a directory',
    layers: (to) => [[symlink('s', to), link('l', 's'), file('l/secret')]],
    gives: (to) => [...ancestors(inside(to)), `f ${inside(to)}/secret`, `l l -> ${to}`, `l s -> ${to}`],
  },
  {
    name: 'one behind a chain of links that is longer than any path (CVE-2025-4517)',
    layers: () => {
      const name = 'd'.repeat(247);
      const steps = [...'abcdefghijklmnop'];
      const chain = steps.flatMap((step, depth) => {
        const parent = `${name}/`.repeat(depth);
        return [folder(`${parent}${name}`), symlink(`${parent}${step}`, name)];
      });
      const up = `${steps.join('/')}/${'l'.repeat(254)}`;
      return [
        [
          ...chain,
          symlink(up, '../'.repeat(steps.length)),
          symlink('out', `${up}/../canary`),
          link('l', 'out/secret'),
        ],
      ];
    },
    gives: 'BAD_LAYER',
  },
  {
    name: 'one that waits for its target behind a symlink',
    layers: (to) => [[link('l', 's/secret'), symlink('s', to)]],
    gives: 'BAD_LAYER',
  },
  {
    name: 'one with a body and a size',
    layers: (to) => [[link('l', `${to}/secret`, { header: { size: 5 } })]],
    gives: 'BAD_LAYER',
  },
];

const NAMES: readonly Attack[] = [
  ...[
    '../canary/secret',
    '../../canary/secret',
    'a/../../canary/secret',
    './../canary/secret',
    '/../canary/secret',
    'a/b/../../../canary/secret',
    '..',
  ].flatMap((name): Attack[] => [
    { name: `a file ${name}`, layers: () => [[file(name)]], gives: 'BAD_LAYER' },
    { name: `a directory ${name}`, layers: () => [[folder(name)]], gives: 'BAD_LAYER' },
    { name: `a symlink ${name}`, layers: () => [[symlink(name, 'x')]], gives: 'BAD_LAYER' },
    {
      name: `a whiteout beside ${name}`,
      layers: () => [[folder('a')], [file(name.replace(/[^/]*$/, '.wh.$&'))]],
      gives: 'BAD_LAYER',
    },
  ]),
  {
    name: 'an absolute name (CVE-2021-32804)',
    layers: (to) => [[file(`/${inside(to)}/secret`), file(`////${inside(to)}/d/f`)]],
    gives: (to) => [
      ...ancestors(inside(to)),
      `d ${inside(to)}/d`,
      `f ${inside(to)}/d/f`,
      `f ${inside(to)}/secret`,
    ],
  },
  {
    name: 'a name with backslashes or a drive (CVE-2021-37713)',
    layers: () => [[file('..\\canary\\secret'), file('C:..\\x'), file('C:/y')]],
    gives: () => ['f ..\\canary\\secret', 'd C:', 'f C:..\\x', 'f C:/y'],
  },
  ...['.', './', '/', './/./'].flatMap((name): Attack[] => [
    {
      name: `the root as a symlink, ${name} (CVE-2021-29136)`,
      layers: (to) => [[symlink(name, to)], [file('secret')]],
      gives: 'BAD_LAYER',
    },
    { name: `the root as a hard link, ${name}`, layers: (to) => [[link(name, to)]], gives: 'BAD_LAYER' },
    { name: `the root as a file, ${name}`, layers: () => [[file(name)]], gives: 'BAD_LAYER' },
  ]),
  { name: 'no name', layers: () => [[file('')]], gives: 'BAD_LAYER' },
  {
    name: 'a NUL in a name',
    layers: () => [[file('x', { records: [['path', '../canary/secret\0x']] })]],
    gives: 'BAD_LAYER',
  },
  {
    name: 'a NUL in a target',
    layers: (to) => [[symlink('s', 'x', { records: [['linkpath', `${to}\0`]] })]],
    gives: 'BAD_LAYER',
  },
  {
    name: 'a name in PAX',
    layers: () => [[file('x', { records: [['path', '../canary/secret']] })]],
    gives: 'BAD_LAYER',
  },
  {
    name: 'a name in GNU.sparse.name',
    layers: () => [[file('x', { records: [['GNU.sparse.name', '../canary/secret']] })]],
    gives: 'BAD_LAYER',
  },
  {
    name: 'a name behind a good prefix',
    layers: () => [[file('x', { header: { prefix: 'd/..', name: '../canary/secret' } })]],
    gives: 'BAD_LAYER',
  },
];

const MARKERS: readonly Attack[] = [
  {
    name: 'a whiteout through a symlink of the same layer',
    layers: (to) => [[symlink('s', to), file('s/.wh.secret'), file('s/.wh.d')]],
    gives: (to) => [...ancestors(inside(to)), `l s -> ${to}`],
  },
  {
    name: 'a whiteout through a symlink of a lower layer',
    layers: (to) => [[symlink('s', to)], [file('s/.wh.secret'), file('s/.wh.d')]],
    gives: () => ['d s'],
  },
  {
    name: 'an opaque marker through a symlink of the same layer',
    layers: (to) => [[symlink('s', to), file('s/.wh..wh..opq')]],
    gives: (to) => [...ancestors(inside(to)), `l s -> ${to}`],
  },
  {
    name: 'an opaque marker through a symlink of a lower layer',
    layers: (to) => [[symlink('s', to)], [file('s/.wh..wh..opq')]],
    gives: () => ['d s'],
  },
  {
    name: 'a whiteout of a symlink takes the symlink only',
    layers: (to) => [[symlink('s', to)], [file('.wh.s')]],
    gives: () => [],
  },
  ...['.wh...', '.wh..', '.wh.', 'd/.wh...', 'd/.wh..', 's/.wh...'].map(
    (name): Attack => ({
      name: `a whiteout ${name}`,
      layers: (to) => [[folder('d'), symlink('s', to)], [file(name)]],
      gives: 'BAD_LAYER',
    }),
  ),
  {
    name: 'a whiteout as a symlink or hard link to the outside',
    layers: (to) => [
      [file('x'), file('y')],
      [symlink('.wh.x', to), link('.wh.y', `${to}/secret`)],
    ],
    gives: () => [],
  },
  {
    name: 'a directory of that name with a way out below',
    layers: (to) => [[symlink('.wh.x', to)], [file('.wh.x/secret')]],
    gives: () => ['d .wh.x', 'f .wh.x/secret'],
  },
];

/** A place to write to, and how to see what is there. */
interface Output {
  readonly name: string;
  readonly path: string;
  readonly list: (path: string) => string[];
}

function listDirectory(root: string, path = ''): string[] {
  const hostOf = (path: string) => Buffer.concat([Buffer.from(`${root}/`), Buffer.from(path, 'latin1')]);
  const names = readdirSync(hostOf(path), 'latin1').sort();
  return names.flatMap((name) => {
    const host = hostOf(path + name);
    const stat = lstatSync(host);
    if (stat.isDirectory()) return [`d ${path}${name}`, ...listDirectory(root, `${path}${name}/`)];
    if (stat.isSymbolicLink()) return [`l ${path}${name} -> ${readlinkSync(host, 'latin1')}`];
    return [`${stat.isFIFO() ? 'p' : stat.isCharacterDevice() ? 'c' : 'f'} ${path}${name}`];
  });
}

function listTar(path: string): string[] {
  return rowsOf(readFileSync(path))
    .slice(1)
    .map(({ kind, path, target }) => `${kind} ${path}${kind === 'l' ? ` -> ${target}` : ''}`);
}

const OUTPUTS: readonly Output[] = [
  { name: 'a directory', path: 'rootfs/', list: listDirectory },
  { name: 'a flat tar', path: 'rootfs.tar', list: listTar },
];

async function attack(t: TestContext, one: Attack, output: Output, isAbsolute: boolean): Promise<void> {
  const directory = scratch(t);
  const around = join(directory, 'out');
  const canary = new Canary(around);
  const to = isAbsolute ? canary.path : '../canary';
  const input = imageIn(directory, one.layers(to));
  const options = {
    input,
    output: join(around, output.path),
    tmp: directory,
    keepDirlinks: one.keepDirlinks ?? false,
    digests: false,
  };
  const name = output.path.replace('/', '');
  if (typeof one.gives === 'string') {
    await refuses(options, one.gives);
    canary.assertUntouched([]);
    return;
  }
  await flatten(options);
  canary.assertUntouched([name]);
  assert.deepEqual(output.list(join(around, name)).sort(), [...one.gives(to)].sort());
}

function imageIn(directory: string, layers: readonly (readonly Member[])[]): string {
  const image = join(directory, 'image');
  mkdirSync(image);
  writeFiles(image, ociFiles(layers.map((members) => ({ tar: archive(members) }))));
  return image;
}

async function refuses(options: FlattenOptions, code: FlattenError['code']): Promise<void> {
  await assert.rejects(flatten(options), (error) => {
    assert.ok(error instanceof FlattenError, String((error as Error).stack));
    assert.equal(error.code, code, error.message);
    return true;
  });
}

for (const output of OUTPUTS) {
  suite(`ways out, to ${output.name}`, () => {
    for (const one of [...THROUGH_SYMLINKS, ...THROUGH_HARD_LINKS, ...NAMES, ...MARKERS]) {
      test(one.name, { skip: needs('root') }, async (t) => {
        await attack(t, one, output, true);
        await attack(t, one, output, false);
      });
    }
  });
}

test(
  'all ways out at once, in an image large enough for several threads',
  {
    skip: needs('root'),
  },
  async (t) => {
    const directory = scratch(t);
    const around = join(directory, 'out');
    const canary = new Canary(around);
    const filler = Array.from({ length: 2500 }, (_, index) => file(`filler/${index % 50}/${index}`));
    const layers: Member[][] = [filler];
    for (const [index, one] of [...THROUGH_SYMLINKS, ...THROUGH_HARD_LINKS, ...MARKERS].entries()) {
      if (typeof one.gives === 'string') continue;
      const at = (path: string) => `${index}/${path}`;
      for (const [place, members] of one.layers(canary.path).entries()) {
        const moved = ({ path, linkpath, typeflag, ...more }: Member) => ({
          ...more,
          path: at(path),
          ...(typeflag && { typeflag }),
          ...(linkpath && {
            linkpath: typeflag === '1' && !linkpath.startsWith('/') ? at(linkpath) : linkpath,
          }),
        });
        layers[place + 1] = [...(layers[place + 1] ?? []), ...members.map(moved)];
      }
    }
    const input = imageIn(directory, layers);
    await flatten({ input, output: join(around, 'rootfs/'), tmp: directory });
    await flatten({ input, output: join(around, 'rootfs.tar'), tmp: directory });
    canary.assertUntouched(['rootfs', 'rootfs.tar']);
    assert.deepEqual(
      listDirectory(join(around, 'rootfs')).sort(),
      listTar(join(around, 'rootfs.tar')).sort(),
    );
  },
);

suite('where the output lies behind symlinks', () => {
  const built = (directory: string) => imageIn(directory, [[folder('d'), file('d/f'), symlink('s', '..')]]);

  test('a parent that is a symlink is followed', async (t) => {
    const directory = scratch(t);
    const canary = new Canary(join(directory, 'real'));
    symlinkSync('real', join(directory, 'link'));
    await flatten({ input: built(directory), output: join(directory, 'link', 'rootfs/'), tmp: directory });
    canary.assertUntouched(['rootfs']);
    assert.deepEqual(listDirectory(join(directory, 'real', 'rootfs')), ['d d', 'f d/f', 'l s -> ..']);
  });

  test('an output that is a symlink is replaced by itself, and only when asked for', async (t) => {
    for (const [output, target, format] of [
      ['rootfs', '../real/canary', 'directory'],
      ['rootfs.tar', '../real/canary/secret', 'tar'],
    ] as const) {
      const directory = scratch(t);
      const canary = new Canary(join(directory, 'real'));
      mkdirSync(join(directory, 'out'));
      symlinkSync(target, join(directory, 'out', output));
      const options = {
        input: built(directory),
        output: join(directory, 'out', output),
        format,
        tmp: directory,
      };
      await refuses(options, 'OUTPUT_EXISTS');
      assert.equal(readlinkSync(options.output), target);
      await flatten({ ...options, force: true });
      canary.assertUntouched([]);
      assert.ok(!lstatSync(options.output).isSymbolicLink());
      assert.deepEqual(readdirSync(join(directory, 'out')), [output]);
    }
  });

  test('an old output with symlinks is removed without following them', async (t) => {
    const directory = scratch(t);
    const canary = new Canary(join(directory, 'out'));
    const old = join(directory, 'out', 'rootfs');
    mkdirSync(join(old, 'd'), { recursive: true });
    symlinkSync(canary.path, join(old, 'd', 'canary'));
    symlinkSync('../canary', join(old, 'canary'));
    await flatten({ input: built(directory), output: old, force: true, tmp: directory });
    canary.assertUntouched(['rootfs']);
  });
});

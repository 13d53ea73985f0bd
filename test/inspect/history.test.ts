/** The history of an image against its tree: for every case, and for stacks at random. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { FlattenError } from '../../src/errors.js';
import { imageOf } from '../../src/image.js';
import { hiddenFiles } from '../../src/inspect/hidden.js';
import { type History, shownBy } from '../../src/inspect/history.js';
import type { Trace } from '../../src/inspect/trace.js';
import { contentLayer } from '../../src/layer/content-layer.js';
import type { Node } from '../../src/rootfs/node.js';
import { walk } from '../../src/rootfs/walk.js';
import { allCases, type Case } from '../support/case.js';
import { layerTar } from '../support/case-layer.js';
import { runs, type Stack, wildStack } from '../support/stacks.js';
import { archive, type Member } from '../support/tar.js';

/** The history of layers in memory, for `use`; undefined where the layers make no tree. */
async function withHistory<T>(
  tars: readonly Buffer[],
  options: { layer?: string; keepDirlinks?: boolean },
  use: (history: History) => T,
): Promise<T | undefined> {
  const layers = tars.map((content, index) => contentLayer({ name: `layer ${index + 1}`, content }));
  await using image = imageOf({ name: 'stack', layers });
  try {
    await using history = await image.history(options);
    await history.tree.verified;
    return use(history);
  } catch (error) {
    if (error instanceof FlattenError && error.code === 'BAD_LAYER') return undefined;
    throw error;
  }
}

function* names(trace: Trace, path = ''): Generator<[string, Trace]> {
  yield [path, trace];
  for (const [name, child] of trace.children ?? [])
    yield* names(child, path === '' ? name : `${path}/${name}`);
}

/** Each path that shows, with its kind, as the touches of the first `layers` layers say. */
function told(history: History, layers: number): Map<string, string> {
  const shown = new Map<string, string>();
  for (const [path, { touches }] of names(history.trace)) {
    const last = shownBy(touches.filter(({ layer }) => layer <= layers));
    const placed = touches.findLast(({ layer, node }) => layer <= layers && node !== undefined)?.node;
    if (last !== undefined) shown.set(path, placed?.kind ?? 'directory');
  }
  shown.set('', 'directory'); // is there before any layer says so
  return shown;
}

function inTree(history: History): Map<string, string> {
  return new Map([...walk(history.tree.rootfs.root)].map(({ path, node }) => [path, node.kind]));
}

const sorted = (map: ReadonlyMap<string, string>) => [...map].sort();

async function agrees(tars: readonly Buffer[], options: { keepDirlinks?: boolean } = {}): Promise<void> {
  const states = await withHistory(tars, options, (history) => {
    assert.deepEqual(sorted(told(history, tars.length)), sorted(inTree(history)));
    const inodes = new Map<string, Node>(
      [...walk(history.tree.rootfs.root)].map(({ path, node }) => [path, node]),
    );
    for (const [path, { touches }] of names(history.trace)) {
      const node = shownBy(touches)?.node;
      if (node !== undefined) assert.equal(node, inodes.get(path), path);
    }
    return tars.map((_, index) => told(history, index + 1));
  });
  for (const [index, state] of (states ?? []).entries()) {
    const upTo = { ...options, layer: String(index + 1) };
    await withHistory(tars, upTo, (history) => assert.deepEqual(sorted(state), sorted(inTree(history))));
  }
}

/** Stored bytes of all files of a layer, as its members have them. */
function bytesIn(members: readonly (Member | Buffer)[]): number {
  return members.reduce((sum, member) => sum + (Buffer.isBuffer(member) ? 0 : (member.body?.length ?? 0)), 0);
}

async function sumsUp(tars: readonly Buffer[], bytes: number, options = {}): Promise<void> {
  await withHistory(tars, options, (history) => {
    const hidden = [...hiddenFiles(history)].reduce((sum, file) => sum + file.bytes, 0);
    const { bytes: shown, holes = 0 } = history.tree.rootfs;
    assert.equal(
      history.layers.reduce((sum, layer) => sum + layer.bytes, 0),
      bytes,
    );
    assert.equal(shown - holes + hidden, bytes);
  });
}

/** Cases that leave the size of an entry to what the header says, or cut a layer short. */
const isOdd = ({ layers }: Case) =>
  layers.some(
    ({ members, end }) =>
      end.cut || members.some((member) => !Buffer.isBuffer(member) && isOddMember(member)),
  );
const isOddMember = ({ header, records, typeflag = '0' }: Member) =>
  header !== undefined || records !== undefined || !/[0-7]/.test(typeflag);

suite('cases', () => {
  for (const one of allCases().filter(
    ({ error, layers }) => !error && layers.every(({ packing }) => packing.compression === 'none'),
  )) {
    test(one.name, async () => {
      const tars = one.layers.map(layerTar);
      const keepDirlinks = one.options.includes('keep-dirlinks');
      await agrees(tars, { keepDirlinks });
      if (!isOdd(one))
        await sumsUp(
          tars,
          one.layers.reduce((sum, { members }) => sum + bytesIn(members), 0),
          { keepDirlinks },
        );
    });
  }
});

test('stacks at random', async () => {
  const property = fc.asyncProperty(wildStack, async (stack: Stack) => {
    const tars = stack.map((members) => archive(members));
    await agrees(tars);
    await sumsUp(
      tars,
      stack.reduce((sum, members) => sum + bytesIn(members), 0),
    );
  });
  await fc.assert(property, runs(300));
});

/** Paths of cases, and the layers that those who wrote them would name; 0 where the path is not there. */
const LAYERS = [
  ['08-whiteouts/lower-only-after', 'a', 2],
  ['08-whiteouts/tree', 'd/e/f', 0],
  ['08-whiteouts/tree', 'da', 1],
  ['often-wrong/link-rewritten', 'a', 2],
  ['often-wrong/link-rewritten', 'b', 1],
  ['often-wrong/link-chain-rewritten', 'b', 4],
  ['often-wrong/link-chain-rewritten', 'c', 3],
  ['often-wrong/directory-file-directory', 'd', 3],
  ['often-wrong/directory-file-directory', 'd/a', 0],
  ['11-replacing/directory-on-file', 'd/a', 2],
  ['09-opaque/last', 'd', 2],
  ['09-opaque/last', 'd/a', 0],
  ['09-opaque/last', 'd/b', 2],
  ['03-parents/implied-over-lower', 'd/e', 1],
  ['03-parents/implied-over-lower', 'd/e/x', 2],
  ['05-hard-links/before-the-whiteout', 'b', 2],
] as const;

for (const [name, path, layer] of LAYERS) {
  test(`${name}: ${path} comes from layer ${layer}`, async () => {
    const { layers } = allCases().find((one) => one.name === name)!;
    const found = await withHistory(layers.map(layerTar), {}, (history) => history.layerOf(path) ?? 0);
    assert.equal(found, layer);
  });
}

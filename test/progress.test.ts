import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { createReadStream, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { RunEvent } from '../src/context.js';
import { flatten } from '../src/flatten.js';
import type { FlattenOptions } from '../src/options.js';
import { spool } from '../src/sources/spool.js';
import { verify } from '../src/verify.js';
import { quiet } from './sinks/tar-context.js';
import { ociFiles, tarOf, writeFiles } from './support/image.js';
import { needs } from './support/needs.js';
import { scratch } from './support/scratch.js';
import { archive } from './support/tar.js';

const SPARSE = { form: 'pax-1.0', realSize: 50 * 2 ** 20, runs: [[2 ** 20, 5]] } as const;

/** Two layers: large files that do not compress, many small ones, and a sparse one. */
function layers() {
  const large = Array.from({ length: 6 }, (_, i) => ({ path: `large-${i}`, body: randomBytes(700_000 + i) }));
  const small = Array.from({ length: 3000 }, (_, i) => ({ path: `small-${i}`, body: Buffer.from(`${i}`) }));
  return [
    { tar: archive([...large, { path: 'sparse', sparse: SPARSE, body: Buffer.from('hello') }]) },
    { tar: archive(small) },
  ];
}

function image(t: TestContext, compression: 'none' | 'gzip' = 'none'): string {
  const directory = join(scratch(t), 'image');
  writeFiles(directory, ociFiles(layers().map((layer) => ({ ...layer, compression }))));
  return directory;
}

interface Step {
  readonly phase: string;
  readonly done: number;
  readonly total?: number;
}

/** Sees to it that each phase begins at 0, goes up, never beyond its total, and ends there; gives the phases. */
function phasesIn(events: readonly RunEvent[]): string[] {
  const phases: string[] = [];
  let last: Step | undefined;
  const over = () => last && assert.equal(last.done, last.total, `${last.phase} ends with all done`);
  for (const event of events) {
    if (event.type !== 'progress') continue;
    const { phase, done, total, layer, layers } = event;
    if (last?.phase !== phase || done < last.done) {
      over();
      assert.equal(done, 0, `${phase} begins with nothing done`);
      phases.push(phase);
    } else assert.ok(last.total === undefined || total === last.total, `${phase}: the total changed`);
    assert.ok(total === undefined || done <= total, `${phase}: ${done} of ${total}`);
    if (layer !== undefined) assert.ok(layer >= 1 && layer <= layers!, `${layer} of ${layers}`);
    last = event;
  }
  over();
  return phases;
}

async function phases(options: FlattenOptions): Promise<string[]> {
  const events: RunEvent[] = [];
  await flatten({ ...options, onEvent: (event) => events.push(event) });
  const written = events.filter((event) => event.type === 'progress' && event.phase === 'write');
  // A directory is told of by the clock.
  assert.ok(
    written.length > 3 || options.output.endsWith('tree'),
    'it is told on the way, not at the end alone',
  );
  return phasesIn(events);
}

test('outputs without root: every phase rises from 0 to its total', async (t) => {
  const directory = scratch(t);
  for (const [output, more, expected] of [
    ['flat.tar', {}, ['load', 'write']],
    ['flat.tar.gz', {}, ['load', 'write']],
    ['flat.tar.zst', { verify: true }, ['load', 'write', 'check']],
    ['tree', {}, ['load', 'write']],
    ['docker-archive:docker.tar:a:b', { verify: true }, ['load', 'write', 'check']],
    ['oci:layout', {}, ['load', 'write']],
    ['oci:kept', { image: { last: 1 } }, ['load', 'write', 'write']],
    ['oci-archive:oci.tar', { image: { compression: 'gzip' } }, ['load', 'write']],
  ] as const) {
    for (const compression of ['none', 'gzip'] as const) {
      const at = output.replace(/^([a-z-]+:)?/, `$1${directory}/${compression}-`);
      assert.deepEqual(await phases({ input: image(t, compression), output: at, ...more }), expected, output);
    }
  }
});

test('disk images: planned, written, compressed, digested', { skip: needs('mke2fs') }, async (t) => {
  const directory = scratch(t);
  for (const [output, more, expected] of [
    ['disk.img', {}, ['load', 'plan', 'write']],
    ['disk.ext4', { verify: true }, ['load', 'plan', 'write', 'check']],
    ['disk.ext2', { sha256: true }, ['load', 'plan', 'write', 'digest']],
    ['disk.ext4.zst', {}, ['load', 'plan', 'write', 'compress']],
  ] as const) {
    const options = { input: image(t), output: join(directory, output), ...more };
    assert.deepEqual(await phases(options), expected, output);
  }
});

test('a compressed archive is opened first; of a stream nobody knows the total', async (t) => {
  const directory = scratch(t);
  const packed = join(directory, 'image.tar.gz');
  writeFileSync(packed, gzipSync(tarOf(ociFiles(layers())), { level: 1 }));
  const output = join(directory, 'flat.tar');
  assert.deepEqual(await phases({ input: packed, output }), ['open', 'load', 'write']);

  const events: RunEvent[] = [];
  const context = quiet({ tmp: directory, report: (event) => events.push(event) });
  await spool(createReadStream(packed), 'standard input', context);
  assert.deepEqual(phasesIn(events), ['open']);
  const totals = events.map((event) => event.type === 'progress' && event.total);
  assert.ok(totals.length > 5);
  assert.deepEqual(new Set(totals.slice(0, -1)), new Set([undefined]));
  assert.equal(typeof totals.at(-1), 'number');
});

test('verify tells of what it reads', async (t) => {
  const directory = scratch(t);
  const input = image(t);
  const output = join(directory, 'flat.tar');
  await flatten({ input, output });
  const events: RunEvent[] = [];
  await verify({ input, output, onEvent: (event) => events.push(event) });
  assert.deepEqual(phasesIn(events), ['load', 'check']);
});

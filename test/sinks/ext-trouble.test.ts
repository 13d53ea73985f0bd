import assert from 'node:assert/strict';
import { chmodSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, type TestContext, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type { Phase, RunEvent } from '../../src/context.js';
import { FlattenError } from '../../src/errors.js';
import { findTool, runTool } from '../../src/ext/tool.js';
import { extSink } from '../../src/sinks/ext.js';
import { context, imageIn, writeExt } from '../ext/images.js';
import { fileNode, TreeBuilder } from '../ext/tree-builder.js';
import { needs } from '../support/needs.js';
import { scratch } from '../support/scratch.js';
import { until } from '../support/until.js';

const skip = needs('mke2fs');
const options = { signal: new AbortController().signal, time: 1 };

/** Puts a program of this name first on PATH for the rest of the test. */
function replaceTool(t: TestContext, name: string, script: string): string {
  const directory = scratch(t);
  const file = join(directory, name);
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
  const { PATH } = process.env;
  process.env.PATH = `${directory}:${PATH}`;
  t.after(() => {
    process.env.PATH = PATH;
  });
  return file;
}

test('a tool is found beside PATH, where systems keep it', { skip }, (t) => {
  const { PATH } = process.env;
  process.env.PATH = '/nonexistent';
  t.after(() => {
    process.env.PATH = PATH;
  });
  assert.match(findTool('mke2fs'), /sbin\/mke2fs$/);
});

test('a missing tool: what to install', () => {
  assert.throws(
    () => findTool('mke2fs-that-nobody-has'),
    (error) =>
      error instanceof FlattenError && error.code === 'TOOL' && /apt install e2fsprogs/.test(error.hint!),
  );
});

test('a tool that fails: the command, its exit code, the end of what it said', async (t) => {
  const file = replaceTool(t, 'e2tool', 'for i in 1 2 3 4 5 6 7 8; do echo line $i >&2; done; exit 3');
  await assert.rejects(runTool('e2tool', ['-x', 'a b'], options), (error) => {
    assert.ok(error instanceof FlattenError);
    assert.equal(error.code, 'TOOL');
    assert.equal(
      error.message,
      'e2tool failed with exit code 3: line 3 | line 4 | line 5 | line 6 | line 7 | line 8',
    );
    assert.equal(error.hint, `the command was: ${file} -x 'a b'`);
    return true;
  });
});

test('a tool sees nothing of our environment', async (t) => {
  replaceTool(t, 'e2tool', 'export -p');
  const said = await runTool('e2tool', [], options);
  assert.match(said, /E2FSPROGS_FAKE_TIME/);
  assert.doesNotMatch(said, /HOME/);
});

test('an old mke2fs is told from one that works', { skip }, async (t) => {
  replaceTool(t, 'mke2fs', 'echo "mke2fs 1.42.9 (28-Dec-2013)" >&2');
  const directory = scratch(t);
  await assert.rejects(
    writeExt(new TreeBuilder(t).finish(), imageIn(directory, 'ext3'), { format: 'ext3' }),
    {
      code: 'TOOL',
      what: 'mke2fs 1.42.9: is too old',
    },
  );
  assert.deepEqual(readdirSync(directory), []);
});

test('what e2fsck finds fault with does not appear', { skip }, async (t) => {
  replaceTool(t, 'e2fsck', 'echo "a fault"; exit 4');
  const directory = scratch(t);
  await assert.rejects(
    writeExt(new TreeBuilder(t).finish(), imageIn(directory, 'ext3'), { format: 'ext3' }),
    {
      code: 'TOOL',
      what: 'e2fsck failed with exit code 4: a fault',
    },
  );
  assert.deepEqual(readdirSync(directory), []);
});

test('nothing appears when verification fails in the end', { skip }, async (t) => {
  const directory = scratch(t);
  const sink = extSink(imageIn(directory, 'ext3'), { force: false, strict: false, format: 'ext3' });
  const verified = Promise.reject(new FlattenError('DIGEST_MISMATCH', 'not what it says'));
  const rootfs = new TreeBuilder(t).finish();
  await assert.rejects(sink.write({ rootfs, verified }, context()), { code: 'DIGEST_MISMATCH' });
  assert.deepEqual(readdirSync(directory), []);
});

/** Aborts the writing of an image as `begin` and each report have it: it must end as interrupted, and leave nothing. */
async function aborted(
  t: TestContext,
  {
    begin,
    report,
  }: { begin?: (abort: () => void) => void; report?: (abort: () => void, event: RunEvent) => void },
): Promise<void> {
  const tree = new TreeBuilder(t);
  const content = tree.store(Buffer.alloc(4 * 2 ** 20, 'content'));
  for (let i = 0; i < 40; i++) tree.put(`large/${i}`, fileNode(content));
  for (let i = 0; i < 8_000; i++) tree.file(`small/${i}`, 'x');
  const rootfs = tree.finish();
  const directory = scratch(t);
  const sink = extSink(imageIn(directory, 'ext3'), { force: false, strict: false, format: 'ext3' });
  const controller = new AbortController();
  const abort = () => controller.abort();
  const finished: RunEvent[] = [];
  const onEvent = (event: RunEvent) => {
    if (controller.signal.aborted && event.type === 'progress' && event.done === event.total)
      finished.push(event);
    report?.(abort, event);
  };
  const about = context({ signal: controller.signal, report: onEvent });
  begin?.(abort);
  await assert.rejects(sink.write({ rootfs, verified: Promise.resolve() }, about), { code: 'INTERRUPTED' });
  assert.deepEqual(finished, [], 'no phase comes to its end once it is aborted');
  assert.deepEqual(readdirSync(directory), []);
}

suite('nothing stays behind after an abort', { skip }, () => {
  test('before it begins', (t) => aborted(t, { begin: (abort) => abort() }));

  for (const turns of [1, 3, 10, 30]) {
    test(`after ${turns} turns of the event loop`, (t) =>
      aborted(t, { begin: (abort) => void turn(turns).then(abort) }));
  }

  for (const name of ['mke2fs', 'tune2fs', 'e2fsck']) {
    test(`while ${name} is at work, which ends with it`, { timeout: 60_000 }, async (t) => {
      const started = join(scratch(t), 'started');
      const { PATH } = process.env; // tools are given none
      const version = `[ "$1" != -V ] || exec ${findTool(name)} -V`;
      replaceTool(t, name, `PATH='${PATH}'\n${version}\necho $$ >${started}\nexec sleep 3600`);
      await aborted(t, { begin: (abort) => void existence(started).then(abort) });
      assert.throws(() => process.kill(Number(readFileSync(started, 'utf8')), 0), { code: 'ESRCH' });
    });
  }

  for (const [phase, what] of [
    ['plan', 'looked through'],
    ['write', 'copied'],
  ] as const) {
    test(`while content is ${what}`, (t) =>
      aborted(t, {
        report: (abort, event) =>
          isIn(phase, event) && event.done > 0 && event.done < event.total! && abort(),
      }));
  }

  test('when all is copied', (t) =>
    aborted(t, {
      report: (abort, event) => isIn('write', event) && event.done === event.total && abort(),
    }));
});

function isIn(phase: Phase, event: RunEvent): event is RunEvent & { type: 'progress' } {
  return event.type === 'progress' && event.phase === phase;
}

async function turn(times: number): Promise<void> {
  for (let i = 0; i < times; i++) await setImmediate();
}

async function existence(file: string): Promise<void> {
  await until(() => existsSync(file) && statSync(file).size > 0);
}

test('progress rises to all of the content', { skip }, async (t) => {
  const tree = new TreeBuilder(t);
  const content = tree.store(Buffer.alloc(8 * 2 ** 20, 'content'));
  for (let i = 0; i < 10; i++) tree.put(`${i}`, fileNode(content));
  const done: number[] = [];
  let total = 0;
  const sink = extSink(imageIn(scratch(t), 'ext3'), { force: false, strict: false, format: 'ext3' });
  const report = (event: RunEvent) => {
    if (!isIn('write', event)) return;
    done.push(event.done);
    total = event.total!;
  };
  await sink.write({ rootfs: tree.finish(), verified: Promise.resolve() }, context({ report }));
  assert.equal(total, 80 * 2 ** 20);
  assert.equal(done.at(-1), total);
  assert.deepEqual(
    done,
    done.toSorted((a, b) => a - b),
  );
});

test('a layer file that became shorter is an error, in either thread', { skip }, async (t) => {
  const tree = new TreeBuilder(t);
  const content = tree.store(Buffer.from('short'));
  for (let i = 0; i < 2; i++)
    tree.put(`f${i}`, fileNode({ ...content, offset: 2 ** 20, size: 2 ** (12 + i * 14) }));
  const directory = scratch(t);
  await assert.rejects(writeExt(tree.finish(), imageIn(directory, 'ext3'), { format: 'ext3' }), {
    code: 'IO',
  });
  assert.deepEqual(readdirSync(directory), []);
});

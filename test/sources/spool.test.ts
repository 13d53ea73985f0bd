import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, fstatSync, readdirSync, readSync } from 'node:fs';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { DEFAULT_LIMITS } from '../../src/context.js';
import { spool } from '../../src/sources/spool.js';
import { needs } from '../support/needs.js';
import { put, session } from './opening.js';

test('a stream becomes a file that has no name', async (t) => {
  const context = session(t);
  const chunks = ['a', 'bc', '', 'def'].map((text) => Buffer.from(text));
  const { fd, offset, length } = await spool(Readable.from(chunks), 'input', context);
  t.after(() => closeSync(fd));
  const bytes = Buffer.alloc(10);
  assert.equal(bytes.toString('latin1', 0, readSync(fd, bytes, 0, 10, offset)), 'abcdef');
  assert.equal(length, 6);
  assert.equal(fstatSync(fd).nlink, 0);
  assert.deepEqual(readdirSync(context.tmp), []);
});

test('a stream without end stops at the limit, and when the run is aborted', async (t) => {
  const endless = () => Readable.from(Array.from({ length: 1000 }, () => Buffer.alloc(1000)));
  const limits = { ...DEFAULT_LIMITS, maxSize: 5000 };
  await assert.rejects(spool(endless(), 'input', session(t, { limits })), {
    code: 'LIMIT',
    message: 'input: has more than 5,000 bytes',
  });
  const silent = new Readable({ read() {} });
  const controller = new AbortController();
  const spooled = spool(silent, 'input', session(t, { signal: controller.signal }));
  setImmediate(() => controller.abort());
  await assert.rejects(spooled, { code: 'INTERRUPTED' });
});

test('a stream that fails says what was read', async (t) => {
  const failing = new Readable({
    read() {
      this.destroy(new Error('EIO: broken'));
    },
  });
  await assert.rejects(spool(failing, 'input', session(t)), { code: 'IO', message: /^reading input: EIO/ });
});

test(
  'standard input: a redirected file is used where it lies, anything else is copied',
  {
    skip: needs('sh'),
  },
  (t) => {
    const program = `
    const { standardInput } = await import(${JSON.stringify(new URL('../../src/sources/spool.js', import.meta.url).href)});
    const { fstatSync } = await import('node:fs');
    const { tmpdir } = await import('node:os');
    const limits = { maxSize: 1e9, maxEntries: 10 };
    const context = { signal: new AbortController().signal, tmp: tmpdir(), limits, report() {} };
    const { fd, length } = await standardInput(context);
    console.log(length, fstatSync(fd).nlink === 0 ? 'copied' : 'in place');
  `;
    const input = put(t, Buffer.from('0123456789'));
    const run = (command: string) =>
      execFileSync('sh', ['-c', command, program, input, process.execPath], { encoding: 'utf8' }).trim();
    const node = '"$2" --input-type=module -e "$0"';
    assert.equal(run(`${node} < "$1"`), '10 in place');
    assert.equal(run(`cat "$1" | ${node}`), '10 copied');
    assert.equal(run(`{ head -c 4 > /dev/null; ${node}; } < "$1"`), '6 copied');
  },
);

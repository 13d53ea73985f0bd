/**
 * A process of its own for the tests of standard output: writes a tree of one large file there. `verified` resolves once
 * standard input ends. What it did is told on standard error, after a line that says that it waits.
 */
import { ftruncateSync, openSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { setImmediate } from 'node:timers/promises';
import { directory, NO_XATTRS } from '../../src/rootfs/node.js';
import { finish } from '../../src/rootfs/walk.js';
import { tarSink } from '../../src/sinks/tar.js';
import { quiet } from './tar-context.js';

const [layerFile, size] = process.argv.slice(2);
const fd = openSync(layerFile!, 'w+');
ftruncateSync(fd, Number(size));
const root = directory();
root.children.set('large', {
  kind: 'file',
  nlink: 0,
  meta: { mode: 0o644, uid: 0, gid: 0, mtime: 0n, xattrs: NO_XATTRS },
  content: { layer: { order: 0, file: fd }, offset: 0, size: Number(size) },
});
const verified = text(process.stdin).then(() => {});
const controller = new AbortController();
process.once('SIGINT', () => controller.abort());
try {
  const written = tarSink('-', { force: false, strict: true, compression: 'none' }).write(
    { rootfs: finish(root), verified },
    quiet({ signal: controller.signal }),
  );
  written.catch(() => {}); // awaited below
  for (let turns = 0; turns < 100; turns++) await setImmediate(); // it has begun, if it does not wait
  process.stderr.write('waiting\n');
  console.error(JSON.stringify(await written));
} catch (error) {
  const report = `${JSON.stringify({ code: (error as { code: string }).code })}\n`;
  process.stderr.write(report, () => process.exit(1));
}

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
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
import { CLI } from './support/program.js';
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

const ON_TERMINAL = `
import fcntl, os, pty, struct, sys, termios, time
columns, later = int(sys.argv[1]), int(sys.argv[2])
def resize(fd, columns): fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack('HHHH', 24, columns, 0, 0))
pid, master = pty.fork()
if pid == 0:
    resize(0, columns)
    os.execvp(sys.argv[3], sys.argv[3:])
sent = b''
while True:
    try: piece = os.read(master, 65536)
    except OSError: break
    if not piece: break
    sent += piece
    if later and b'reading' in sent and b'RESIZED' not in sent:
        resize(master, later)
        time.sleep(0.3)
        sent += b'RESIZED'
os.write(1, sent)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
`;

/** What the program writes to a terminal of so many columns, which are others after a while. */
function onTerminal(
  args: readonly string[],
  { columns, later = 0, env }: { columns: number; later?: number; env?: NodeJS.ProcessEnv },
): string {
  const command = ['-c', ON_TERMINAL, `${columns}`, `${later}`, process.execPath, CLI, ...args];
  const { status, stdout, stderr } = spawnSync('python3', command, {
    encoding: 'utf8',
    env: { ...process.env, TERM: 'xterm', ...env },
    maxBuffer: 1 << 28,
  });
  assert.equal(status, 0, `${stdout}${stderr}`);
  return stdout;
}

/** An image that is read slowly: it does not compress, and is compressed. */
function slowImage(t: TestContext): string {
  const tar = archive(Array.from({ length: 60 }, (_, i) => ({ path: `${i}`, body: randomBytes(2 ** 20) })));
  const packed = gzipSync(tar, { level: 1 });
  const directory = join(scratch(t), 'image');
  writeFiles(
    directory,
    ociFiles([{ tar, compression: 'gzip' }, { tar: archive([{ path: 'x', body: packed }]) }]),
  );
  return directory;
}

/** The lines drawn one over the other. */
function drawn(text: string): string[] {
  return text
    .replace('RESIZED', '')
    .split('\r\x1b[K')
    .slice(1, -1) // what stands before the first and after the last is no such line
    .map((line) => line.split('\r\n')[0]!)
    .filter((line) => line !== '');
}

test('on a terminal: one line, never wider than it, gone at the end', { skip: needs('python3') }, (t) => {
  const input = slowImage(t);
  for (const columns of [10, 40, 80, 200]) {
    const text = onTerminal([input, '-o', join(scratch(t), 'flat.tar.gz')], { columns });
    const lines = drawn(text);
    assert.ok(lines.length > 3, text);
    for (const line of lines) {
      assert.ok(line.length < columns, `${line.length} of ${columns} columns: ${line}`);
      assert.match(line, /^[ -~]+$/);
      assert.ok(!/\b(1[0-9][1-9]|[2-9]\d\d)%/.test(line), line);
    }
    if (columns >= 40) {
      assert.ok(
        lines.some((line) => /^writing .*\d+%/.test(line)),
        lines.join('\n'),
      );
      assert.ok(
        lines.some((line) => /^reading layer 1 of 2 /.test(line)),
        lines.join('\n'),
      );
    }
    if (columns >= 80) assert.ok(lines.some((line) => /\[#+\.+\] +\d+% +[\d.]+ MB of [\d.]+ MB/.test(line)));
    if (columns === 200)
      assert.ok(
        lines.some((line) => / MB\/s {2}0:\d\d left$/.test(line)),
        lines.join('\n'),
      );
    // The line is taken away before the summary, which stands alone.
    const [before, after] = text.split('\r\x1b[K').slice(-2);
    assert.equal(before!.includes('\n'), false);
    assert.match(after!, /flat\.tar\.gz: 62 entries.*\r\n$/s);
  }
});

test('a terminal that becomes narrower or wider is followed', { skip: needs('python3') }, (t) => {
  const input = slowImage(t);
  for (const [columns, later] of [
    [120, 40],
    [40, 160],
  ] as const) {
    const text = onTerminal([input, '-o', join(scratch(t), 'flat.tar.gz')], { columns, later });
    const [first, last] = text.split('RESIZED');
    assert.ok(last !== undefined, text);
    assert.ok(Math.max(...drawn(first!).map((line) => line.length)) < columns);
    // What was on its way when the size changed has the old width.
    const after = drawn(last).slice(2);
    const widest = Math.max(...after.map((line) => line.length));
    assert.ok(
      widest < later && (later < columns || widest > columns),
      `${widest} of ${later}: ${after.join('\n')}`,
    );
  }
});

test('nothing is drawn where nobody wants it', { skip: needs('python3') }, (t) => {
  const input = slowImage(t);
  for (const [more, env] of [
    [[], { TERM: 'dumb' }],
    [['--no-progress'], {}],
    [['--quiet'], {}],
  ] as const) {
    const text = onTerminal([input, '-o', join(scratch(t), 'flat.tar'), ...more], { columns: 80, env });
    assert.doesNotMatch(text, /\x1b|%/);
    assert.match(text, more[0] === '--quiet' ? /^$/ : /^\S+flat\.tar: 62 entries[^\r]*\r\n$/);
  }
});

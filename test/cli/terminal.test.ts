import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { copyFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { suite, type TestContext, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { ociFiles, writeFiles } from '../support/image.js';
import { needs } from '../support/needs.js';
import { CLI } from '../support/program.js';
import { PROJECT } from '../support/project.js';
import { scratch } from '../support/scratch.js';
import { archive } from '../support/tar.js';
import { onTerminal, RESIZED, type Stream, type Terminal } from '../support/terminal.js';

const skip = needs('python3');

function workplace(t: TestContext): string {
  const cwd = scratch(t);
  copyFileSync(join(PROJECT, 'test/images/demo.tar'), join(cwd, 'image.tar'));
  return cwd;
}

suite('colours', { skip }, () => {
  const red = 'flatten: \x1b[31merror\x1b[39m: ';
  const plain = 'flatten: error: ';

  for (const [what, args] of [
    ['a failure', ['missing.tar', '-o', 'x/']],
    ['a command line that is not understood', ['image.tar', '--forse']],
  ] as const) {
    test(`${what} is red on a terminal, wherever standard output goes`, (t) => {
      const cwd = workplace(t);
      for (const streams of [['stdin', 'stdout', 'stderr'], ['stderr']] as const) {
        const { shown, stdout } = onTerminal(args, { cwd, streams });
        assert.ok(shown.startsWith(red), JSON.stringify(shown));
        assert.equal(shown.split('\x1b').length, 3, 'the one word has a colour');
        assert.equal(stdout, '');
      }
    });

    test(`${what} is not red where colours are not wanted, or cannot be`, (t) => {
      const cwd = workplace(t);
      for (const env of [{ NO_COLOR: '1' }, { NO_COLOR: 'no' }, { TERM: 'dumb' }]) {
        const { shown } = onTerminal(args, { cwd, env });
        assert.ok(shown.startsWith(plain), JSON.stringify(shown));
        assert.doesNotMatch(shown, /\x1b/);
      }
      const { shown, stderr } = onTerminal(args, { cwd, streams: ['stdin', 'stdout'] });
      assert.equal(shown, '');
      assert.ok(stderr.startsWith(plain));
      assert.doesNotMatch(stderr, /\x1b/);
    });

    test(`${what}: NO_COLOR that is empty is not set`, (t) => {
      const { shown } = onTerminal(args, { cwd: workplace(t), env: { NO_COLOR: '' } });
      assert.ok(shown.startsWith(red), JSON.stringify(shown));
    });
  }
});

suite('what is not for a terminal', { skip }, () => {
  test('a tar or an image is not written to it', (t) => {
    const cwd = workplace(t);
    for (const args of [
      ['image.tar', '-o', '-'],
      ['image.tar', '-o', '-', '--format', 'docker-archive'],
      ['import', 'image.tar', '-o', '-'],
    ]) {
      const { code, shown, stderr } = onTerminal(args, { cwd, streams: ['stdin', 'stdout'] });
      assert.equal(code, 2, stderr);
      assert.match(stderr, /^flatten: error: .*(terminal|standard output)/);
      assert.equal(shown, '');
    }
  });

  test('an image is not read from it', (t) => {
    const cwd = workplace(t);
    for (const args of [
      ['-', '-o', 'x/'],
      ['import', '-', '-o', 'x.tar'],
    ]) {
      const { code, stderr } = onTerminal(args, { cwd, streams: ['stdin'] });
      assert.equal(code, 2, stderr);
      assert.match(stderr, /^flatten: error: standard input: is a terminal, not an image\n/);
    }
    assert.deepEqual(readdirSync(cwd), ['image.tar']);
  });

  test('a tar goes to a file while the terminal has the rest', (t) => {
    const cwd = workplace(t);
    const { stdout: tar } = spawnSync(process.execPath, [CLI, 'image.tar', '-o', '-'], { cwd });
    const { code, shown, stdout } = onTerminal(['image.tar', '-o', '-'], { cwd, streams: ['stderr'] });
    assert.equal(code, 0, shown);
    assert.ok(Buffer.from(stdout, 'latin1').equals(tar));
    assert.match(shown, /\r\x1b\[Kstandard output: 27 entries, .*\r\n$/);
  });
});

/** An image that is read slowly: it does not compress, and is compressed. */
function slowImage(t: TestContext): string {
  const tar = archive(Array.from({ length: 24 }, (_, i) => ({ path: `${i}`, body: randomBytes(2 ** 20) })));
  const packed = gzipSync(tar, { level: 1 });
  const directory = join(scratch(t), 'image');
  writeFiles(
    directory,
    ociFiles([{ tar, compression: 'gzip' }, { tar: archive([{ path: 'x', body: packed }]) }]),
  );
  return directory;
}

/** What a run that ends well shows on its terminal. */
function drawnOn(args: readonly string[], terminal: Terminal): string {
  const { code, shown } = onTerminal(args, terminal);
  assert.equal(code, 0, shown);
  return shown;
}

/** The lines drawn one over the other. */
function drawn(text: string): string[] {
  return text
    .split('\r\x1b[K')
    .slice(1, -1) // what stands before the first and after the last is no such line
    .map((line) => line.split('\r\n')[0]!)
    .filter((line) => line !== '');
}

test('on a terminal: one line, never wider than it, gone at the end', { skip }, (t) => {
  const input = slowImage(t);
  for (const columns of [10, 40, 80, 200]) {
    const text = drawnOn([input, '-o', join(scratch(t), 'flat.tar.gz')], { columns });
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
    // The line is taken away before the summary, which stands alone.
    const [before, after] = text.split('\r\x1b[K').slice(-2);
    assert.equal(before!.includes('\n'), false);
    assert.match(after!, /flat\.tar\.gz: 26 entries.*\r\n$/s);
  }
});

test('a terminal that becomes narrower or wider is followed', { skip }, (t) => {
  const input = slowImage(t);
  for (const [columns, later] of [
    [120, 40],
    [40, 160],
  ] as const) {
    const text = drawnOn([input, '-o', join(scratch(t), 'flat.tar.gz')], { columns, later });
    const [first, last] = text.split(RESIZED);
    assert.ok(last !== undefined, text);
    assert.ok(Math.max(...drawn(first!).map((line) => line.length)) < columns);
    const widths = drawn(last).map((line) => line.length);
    // What was on its way when the size changed has the old width.
    const start = widths.findIndex((width) => (later < columns ? width < later : width > columns));
    assert.ok(start >= 0, widths.join(' '));
    assert.ok(Math.max(...widths.slice(start)) < later, widths.join(' '));
  }
});

test('nothing is drawn where nobody wants it', { skip }, (t) => {
  const input = slowImage(t);
  for (const [more, env] of [
    [[], { TERM: 'dumb' }],
    [['--no-progress'], {}],
    [['--quiet'], {}],
  ] as const) {
    const text = drawnOn([input, '-o', join(scratch(t), 'flat.tar'), ...more], { env });
    assert.doesNotMatch(text, /\x1b|%/);
    assert.match(text, more[0] === '--quiet' ? /^$/ : /^\S+flat\.tar: 26 entries[^\r]*\r\n$/);
  }
});

test('progress is drawn where standard error is a terminal, and nowhere else', { skip }, (t) => {
  const args = [slowImage(t), '-o', join(scratch(t), 'flat.tar'), '--force'];
  for (const [streams, isDrawn] of [
    [['stderr'], true],
    [['stdin', 'stdout'], false],
  ] as [Stream[], boolean][]) {
    const { code, shown, stdout, stderr } = onTerminal(args, { streams });
    assert.equal(code, 0, stderr);
    assert.equal(/reading .*%/.test(shown), isDrawn);
    assert.doesNotMatch(stdout + stderr, /\x1b|%/);
  }
});

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { needs } from './support/needs.js';
import { PROJECT } from './support/project.js';
import { scratch } from './support/scratch.js';

const PROGRAM = fileURLToPath(new URL('../src/cli.js', import.meta.url));
const TINY = ['--only', 'save-tar/tiny', '--scale', '0.001', '--runs', '1'];

function bench(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(
    join(PROJECT, 'scripts/bench'),
    ['--flatten', PROGRAM, ...args],
    {
      encoding: 'utf8',
    },
  );
  return { status, stdout, stderr };
}

test('scripts/bench times a small input and prints a table', { skip: needs('tar', 'gzip') }, (t) => {
  const { status, stdout, stderr } = bench('--dir', scratch(t), ...TINY);
  assert.equal(status, 0, stderr);
  assert.match(
    stdout,
    /^save-tar +tiny +\d+\.\d\d s +[\d. ]*reading it \+ writing the flat tar +\d+\.\d\d s +[\d. ]+\d/m,
  );
});

test(
  'scripts/bench takes off what a run costs without an option',
  { skip: needs('tar', 'gzip', 'sha256sum') },
  (t) => {
    const only = ['--only', 'verity/tiny', '--scale', '0.001', '--runs', '1'];
    const { status, stdout, stderr } = bench('--dir', scratch(t), '--json', ...only);
    assert.equal(status, 0, stderr);
    const { contests, results } = JSON.parse(stdout);
    const wall = (name: string): number => results[`tiny/${name}`].runs[0].wall;
    assert.equal(contests[0].ours, wall('save-erofs-verity') - wall('save-erofs'));
    assert.equal(contests[0].theirs, wall('sha256sum'));
  },
);

test('scripts/bench --json gives every run', { skip: needs('tar', 'gzip') }, (t) => {
  const { status, stdout, stderr } = bench('--dir', scratch(t), '--json', ...TINY);
  assert.equal(status, 0, stderr);
  const { contests, results } = JSON.parse(stdout);
  assert.equal(contests[0].name, 'save-tar');
  assert.equal(results['tiny/save-tar'].runs.length, 1);
  assert.ok(results['tiny/save-tar'].runs[0].wall > 0);
});

test('scripts/bench refuses a number that is none', () => {
  const { status, stderr } = bench('--runs', 'many');
  assert.equal(status, 1);
  assert.match(stderr, /--runs many: not a number above 0/);
});

test(
  'scripts/bench --profile says which files of src/ took the time',
  { skip: needs('tar', 'gzip') },
  (t) => {
    const { status, stdout, stderr } = bench('--dir', scratch(t), '--profile', ...TINY);
    assert.equal(status, 0, stderr);
    assert.match(stdout, /^tiny\/save-tar\n {2}main thread: \d+\.\d\d s\n(?: +\d+\.\d\d s {2}.+\n)+/m);
    assert.match(stdout, /^ +\d+\.\d\d s {2}(tar|layer|host|sinks|cli)\/[\w/-]+$/m);
  },
);

test('scripts/bench --peer has a name stand for another program', { skip: needs('tar', 'gzip') }, (t) => {
  const directory = scratch(t);
  const crane = join(directory, 'some-crane');
  writeFileSync(crane, '#!/bin/sh\ncat >"$3"\n', { mode: 0o755 });
  const { status, stdout, stderr } = bench('--dir', directory, '--peer', `crane=${crane}`, ...TINY);
  assert.equal(status, 0, stderr);
  assert.match(stdout, /^save-tar +tiny .*crane export +\d+\.\d\d s/m);
  const refused = bench('--peer', 'crane');
  assert.equal(refused.status, 1);
  assert.match(refused.stderr, /--peer crane: not of the form NAME=PATH/);
});

test(
  'scripts/bench makes a fleet, and times a batch that has nothing to do',
  { skip: needs('docker-registry', 'skopeo', 'mke2fs', 'gzip') },
  (t) => {
    const fleet = ['--only', 'fleet-current', '--scale', '0.01', '--runs', '1'];
    const { status, stdout, stderr } = bench('--dir', scratch(t), ...fleet);
    assert.equal(status, 0, stderr);
    assert.match(stdout, /^fleet-current +fleet +\d+\.\d\d s .*nothing to do/m);
  },
);

import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { RunEvent } from '../../src/context.js';
import { FlattenError } from '../../src/errors.js';
import { libc } from '../../src/host/libc.js';
import { Losses } from '../../src/losses.js';
import type { Rootfs } from '../../src/rootfs/node.js';
import { FilePool } from '../../src/sinks/directory/file-pool.js';
import { Pace } from '../../src/sinks/directory/pace.js';
import { writeTree } from '../../src/sinks/directory/tree-writer.js';
import { directorySink, type Machine, writeDirectory } from '../../src/sinks/directory.js';
import type { Artifact } from '../../src/sinks/sink.js';
import { listDirectory } from '../support/list-directory.js';
import { listRootfs } from '../support/list-rootfs.js';
import { lines } from '../support/listing.js';
import { needs } from '../support/needs.js';
import { scratch } from '../support/scratch.js';
import { until } from '../support/until.js';
import type { Errand } from './directory-child.js';
import { everyKind, manyFiles } from './directory-specimen.js';
import { quiet } from './tar-context.js';
import { Specimen } from './tar-specimen.js';

const CHILD = fileURLToPath(new URL('./directory-child.js', import.meta.url));
const NOBODY = 65534;
const LAX = { force: false, strict: false };
const FULL: Machine = { libc: libc(), cores: 4 };

function whole(rootfs: Rootfs) {
  return { rootfs, verified: Promise.resolve() };
}

function fails(code: string, message?: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof FlattenError, String((error as Error).stack));
    assert.equal(error.code, code);
    if (message) assert.match(error.message, message);
    return true;
  };
}

function runChild(
  errand: Errand,
  wrapper: readonly string[] = [],
): Artifact & { code?: string; message?: string } {
  const [command, ...args] = [...wrapper, process.execPath, CHILD, JSON.stringify(errand)];
  return JSON.parse(execFileSync(command!, args, { encoding: 'utf8' }));
}

function counts({ losses }: Artifact): Record<string, number> {
  return Object.fromEntries(losses.map(({ kind, count }) => [kind, count]));
}

/** The lines of `everyKind` as they are where owners, devices and privileged xattrs cannot be held, and with them setuid. */
function without(list: readonly string[], owner: string): string[] {
  return list.flatMap((line) => {
    const columns = line.split('\t');
    if (/^[cb]$/.test(columns[1]!)) return [];
    const [uid, gid] = owner.split(':') as [string, string];
    const lost = (columns[3] === uid ? 0 : 0o4000) | (columns[4] === gid ? 0 : 0o2000);
    const mode = Number.parseInt(columns[2]!, 8);
    if (columns[1] === 'f') columns[2] = (mode & ~lost).toString(8).padStart(4, '0');
    columns.splice(3, 2, uid, gid);
    const kept = columns[10]!.split(',').filter((xattr) => !/^(trusted|security)\./.test(xattr));
    columns[10] = kept.join(',') || '-';
    return [columns.join('\t')];
  });
}

for (const withoutLibc of [false, true]) {
  const how = withoutLibc ? 'without koffi' : 'with koffi';
  test(
    `without root ${how}: owners, devices and privileged xattrs are lost, nothing else`,
    {
      skip: needs('root', 'getfattr', 'setfattr', 'xargs'),
    },
    (t) => {
      const dir = scratch(t);
      const place = join(dir, 'place');
      mkdirSync(place);
      execFileSync('chmod', ['755', dir]);
      chownSync(place, NOBODY, NOBODY);
      const errand = { scratch: dir, output: join(place, 'out'), uid: NOBODY, withoutLibc };
      const artifact = runChild(errand);
      const rootfs = everyKind(t, dir, withoutLibc ? { step: 1_000_000_000n } : {});
      const expected = without(lines(listRootfs(rootfs)), `${NOBODY}:${NOBODY}`);
      assert.deepEqual(without(lines(listDirectory(errand.output)), `${NOBODY}:${NOBODY}`), expected);
      const lost = counts(artifact);
      assert.deepEqual(lost, { device: 3, owner: rootfs.inodes - 2, setuid: 3, xattr: 3 });
      assert.deepEqual(artifact.losses.find(({ kind }) => kind === 'setuid')!.example, 'a/first');
      assert.match(artifact.losses.find(({ kind }) => kind === 'owner')!.reason, /needs root/);
      for (const { uid } of listDirectory(errand.output)) assert.equal(uid, NOBODY);

      const strict = runChild({ ...errand, output: join(place, 'strict'), strict: true });
      assert.equal(strict.code, 'LOSS');
      assert.match(strict.message!, /the output cannot hold its owner: \d+:\d+ needs root/);
      assert.deepEqual(readdirSync(place), ['out']);
    },
  );
}

test('setuid stays where the user wants it', { skip: needs('root', 'xargs') }, (t) => {
  const dir = scratch(t);
  const place = join(dir, 'place');
  mkdirSync(place);
  execFileSync('chmod', ['755', dir]);
  chownSync(place, NOBODY, NOBODY);
  for (const withoutLibc of [false, true]) {
    const output = join(place, String(withoutLibc));
    const errand = { scratch: dir, output, uid: NOBODY, keepSetuid: true, withoutLibc };
    assert.equal(counts(runChild(errand)).setuid, undefined);
    assert.equal(statSync(join(output, 'setuid-own')).mode & 0o7777, 0o6755);
    assert.equal(statSync(join(output, 'a/first')).mode & 0o7777, 0o4755);
  }
});

test(
  'root that lacks capabilities loses what needs them',
  {
    skip: needs('root', 'setpriv', 'getfattr'),
  },
  (t) => {
    const dir = scratch(t);
    const drop = 'chown,mknod,sys_admin,setfcap,fowner,dac_override,dac_read_search,fsetid';
    const errand = { scratch: dir, output: join(dir, 'out') };
    const artifact = runChild(errand, ['setpriv', '--bounding-set', `-${drop.replaceAll(',', ',-')}`]);
    const expected = without(lines(listRootfs(everyKind(t, dir))), '0:0');
    assert.deepEqual(without(lines(listDirectory(errand.output)), '0:0'), expected);
    const { owner, ...rest } = counts(artifact);
    assert.deepEqual(rest, { device: 3, setuid: 1, xattr: 3 });
    assert.ok(owner! > 5);
    assert.match(artifact.losses.find(({ kind }) => kind === 'owner')!.reason, /no CAP_CHOWN/);
  },
);

test('a full disk: the error says so, and nothing stays', { skip: needs('root') }, async (t) => {
  const dir = scratch(t);
  const rootfs = manyFiles(t, dir, 4000);
  const full = join(dir, 'full');
  mkdirSync(full);
  for (const limit of ['size=6m', 'nr_inodes=2000']) {
    for (const cores of [1, 4]) {
      execFileSync('mount', ['-t', 'tmpfs', '-o', limit, 'none', full]);
      try {
        await assert.rejects(
          writeDirectory(join(full, 'out'), LAX, whole(rootfs), quiet(), { ...FULL, cores }),
          (error) => {
            assert.match((error as FlattenError).hint ?? '', /the disk is full/);
            return fails(
              'IO',
              /^(d|large)\d.*: cannot be written: no space left on device \(ENOSPC\)/,
            )(error);
          },
        );
        assert.deepEqual(readdirSync(full), []);
      } finally {
        execFileSync('umount', [full]);
      }
    }
  }
});

/** Some of the content is written, and not all. */
function isUnderWay(event: RunEvent): boolean {
  return event.type === 'progress' && event.done > 0 && event.done < event.total!;
}

test('an abort while files are written stops all threads and leaves nothing', async (t) => {
  const dir = scratch(t);
  const rootfs = manyFiles(t, dir, 6000);
  for (const cores of [1, 4]) {
    const controller = new AbortController();
    const report = (event: RunEvent) => {
      if (isUnderWay(event)) controller.abort();
    };
    const context = quiet({ signal: controller.signal, report });
    const written = writeDirectory(join(dir, 'out'), LAX, whole(rootfs), context, { ...FULL, cores });
    await assert.rejects(written, fails('INTERRUPTED'));
    assert.deepEqual(readdirSync(dir), ['layer']);
    await assert.rejects(
      writeDirectory(join(dir, 'out'), LAX, whole(rootfs), context, { ...FULL, cores }),
      fails('INTERRUPTED'),
    );
  }
});

test('an abort at any turn of the event loop, workers starting up or at work, ends it', async (t) => {
  const dir = scratch(t);
  const rootfs = manyFiles(t, dir, 2000); // its times have nanoseconds: workers load koffi
  let aborted = 0;
  for (let moment = 1; ; moment *= 2) {
    let turns = 0;
    const controller = new AbortController();
    const report = () => {
      if (++turns === moment) controller.abort();
    };
    const context = quiet({ signal: controller.signal, report });
    const written = writeDirectory(join(dir, 'out'), LAX, whole(rootfs), context, FULL);
    const outcome = await written.catch((error: unknown) => error);
    if (turns < moment) break; // it was over before
    aborted++;
    assert.ok(fails('INTERRUPTED')(outcome));
    assert.deepEqual(readdirSync(dir), ['layer']);
  }
  assert.ok(aborted >= 2);
});

test('an abort comes through while one large file is written', async (t) => {
  const dir = scratch(t);
  const specimen = new Specimen(t, dir);
  const segments = Array.from({ length: 600 }, (_, i) => ({ start: i << 20, length: 1 << 20 }));
  const large = specimen.file(Buffer.alloc(0), {}, { size: 600 << 20, segments });
  specimen.add('large', large);
  execFileSync('truncate', ['-s', '600M', join(dir, 'layer')]);
  const controller = new AbortController();
  const report = (event: RunEvent) => {
    if (isUnderWay(event)) controller.abort();
  };
  const context = quiet({ signal: controller.signal, report });
  const written = writeDirectory(join(dir, 'out'), LAX, whole(specimen.rootfs()), context, {
    ...FULL,
    cores: 1,
  });
  await assert.rejects(written, fails('INTERRUPTED'));
  assert.deepEqual(readdirSync(dir), ['layer']);
});

for (const [when, share, turns] of [
  ['at once', -1, 0],
  ['while files are written', 0, 1],
  ['when nothing else is waited for', 1, 1000],
] as const) {
  test(`a digest that proves wrong ${when} ends it`, async (t) => {
    const dir = scratch(t);
    let refuse!: () => void;
    const verified = new Promise<void>((_, reject) => {
      refuse = () => reject(new FlattenError('DIGEST_MISMATCH', 'not what it says'));
    });
    if (share < 0) refuse();
    const later = async () => {
      for (let i = 0; i < turns; i++) await turn();
      refuse();
    };
    const report = (event: RunEvent) => {
      if (event.type === 'progress' && event.done >= share * event.total!) void later();
    };
    const flattened = { rootfs: manyFiles(t, dir, 2000), verified };
    const written = writeDirectory(join(dir, 'out'), LAX, flattened, quiet({ report }), FULL);
    await assert.rejects(written, fails('DIGEST_MISMATCH'));
    assert.deepEqual(readdirSync(dir), ['layer']);
  });
}

test('what a killed run left, the next one removes', { skip: needs('root') }, async (t) => {
  const dir = scratch(t);
  const output = join(dir, 'out');
  const errand: Errand = { scratch: dir, output, forever: true };
  // Not with this one's output: a child that stays would keep it open, and the runner waiting.
  const child = spawn(process.execPath, [CHILD, JSON.stringify(errand)], { stdio: 'ignore' });
  t.after(() => child.kill('SIGKILL'));
  const left = () => readdirSync(dir).filter((name) => name.startsWith('.out.flatten-'));
  // Its last file.
  await until(() => left().some((name) => existsSync(join(dir, name, 'new/z/third'))), child);
  child.kill('SIGKILL');
  await once(child, 'exit');
  assert.equal(left().length, 1);
  assert.equal(existsSync(output), false);
  const rootfs = everyKind(t, dir);
  await directorySink(output, LAX).write(whole(rootfs), quiet());
  assert.deepEqual(readdirSync(dir).sort(), ['layer', 'out']);
});

test('an output that exists is refused as soon as its sink is made', (t) => {
  const dir = scratch(t);
  writeFileSync(join(dir, 'kept'), '');
  assert.throws(() => directorySink(dir, LAX), fails('OUTPUT_EXISTS'));
  assert.doesNotThrow(() => directorySink(dir, { ...LAX, force: true }));
});

test('two names that are one to the file system: the error names the second', async (t) => {
  const dir = scratch(t);
  const room = join(dir, 'room');
  mkdirSync(room);
  writeFileSync(join(room, 'Makefile'), 'as if it were the same name');
  const specimen = new Specimen(t, dir);
  specimen.add('Makefile', specimen.file(Buffer.alloc(1)));
  const pace = new Pace(quiet(), Promise.resolve(), 1, 1);
  const losses = new Losses({ strict: false });
  const means = { libc: libc(), strict: false, losses, pool: new FilePool(pace), pace };
  await assert.rejects(
    writeTree(specimen.rootfs(), room, means),
    fails('UNSUPPORTED', /^Makefile: its name is taken/),
  );
  pace.end();
});

test('the program ends: no worker, timer or signal listener is left', (t) => {
  const dir = scratch(t);
  execFileSync('chmod', ['755', dir]);
  const { status } = spawnSync(
    process.execPath,
    [CHILD, JSON.stringify({ scratch: dir, output: join(dir, 'out') })],
    {
      timeout: 20_000,
    },
  );
  assert.equal(status, 0);
});

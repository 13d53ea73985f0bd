import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, type TestContext, test } from 'node:test';
import { flatten } from '../../src/flatten.js';
import { copyPrograms } from '../support/host-programs.js';
import { needs } from '../support/needs.js';
import { scratch } from '../support/scratch.js';

const COREUTILS = {
  mkdir: 'mkdir',
  ln: 'ln',
  env: 'env',
  chown: 'chown',
  cp: 'cp',
  cat: 'cat',
  id: 'id',
  sleep: 'sleep',
};
const UTIL_LINUX = { mount: 'mount' };
/** Trees as images have them: the programs of each, by their names there. */
const TREES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'dash, coreutils, util-linux with setpriv': {
    sh: 'dash',
    ...COREUTILS,
    ...UTIL_LINUX,
    setpriv: 'setpriv',
  },
  'bash, coreutils with chroot': { sh: 'bash', ...COREUTILS, ...UTIL_LINUX, chroot: 'chroot' },
  'busybox alone': { busybox: 'busybox' },
};
const PASSWD = 'root:x:0:0::/:/bin/sh\napp:x:7:8::/home/app:/nowhere\n';
const GROUP = 'one:x:8:\ntwo:x:9:app\nthree:x:11:other,app\n';

/** What stands in a shell's words before its own: how the tree's shell is called by the config. */
const shellOf = (tree: string) => (tree === 'busybox alone' ? ['/bin/busybox', 'sh'] : ['/bin/sh']);

/** Makes a root file system of programs of this machine, with a config of these instructions, and the script in it. */
async function rootWith(t: TestContext, tree: string, changes: readonly string[]): Promise<string> {
  const cwd = scratch(t);
  const bare = join(cwd, 'bare');
  mkdirSync(join(bare, 'etc'), { recursive: true });
  writeFileSync(join(bare, 'etc/passwd'), PASSWD);
  writeFileSync(join(bare, 'etc/group'), GROUP);
  copyPrograms(bare, TREES[tree]!);
  const [image, root] = [join(cwd, 'image.tar'), join(cwd, 'root')];
  await flatten({ input: bare, output: `docker-archive:${image}:it:1`, image: { changes } });
  await flatten({ input: image, output: `${root}/`, addInit: true });
  return root;
}

/**
 * Starts the script as the first process of a PID namespace, with the tree as its root directory. That is no machine, so the exit code
 * of the script is that of the program.
 */
function started(root: string): ChildProcess {
  const inside = `
    mount --bind "$0" "$0" && cd "$0" && mount -t proc proc proc && mount -t sysfs sys sys && mount -t tmpfs dev dev &&
    mkdir dev/pts && mount -t devpts pts dev/pts && : >dev/null && exec chroot . /sbin/flatten-init`;
  return spawn('unshare', ['-fpm', 'sh', '-c', inside, root], { stdio: ['ignore', 'pipe', 'inherit'] });
}

async function ended(child: ChildProcess): Promise<[output: string, code: number | null]> {
  let output = '';
  child.stdout!.on('data', (chunk) => {
    output += chunk;
  });
  const [code] = await once(child, 'close');
  return [output, code];
}

/** The process that is the first one inside. */
function firstOf({ pid }: ChildProcess): number {
  return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim());
}

const skip = needs('root', 'unshare', 'busybox', 'dash', 'bash', 'setpriv', 'ldd');

for (const tree of Object.keys(TREES)) {
  const run = (script: string) => `CMD ${JSON.stringify([...shellOf(tree), '-c', script])}`;
  suite(`the script that starts an image: ${tree}`, { skip }, () => {
    test('it runs the program as its user, with its groups, where and with what the config says', async (t) => {
      const b = tree === 'busybox alone' ? '/bin/busybox ' : '/bin/';
      const script = `${b}id -u; ${b}id -g; ${b}id -G; pwd; echo "$A|$B|$HOME|$PATH"; exit 7`;
      const hostile = `ENV A="it's; $(touch /x)" B="\`exit 3\`"`;
      const root = await rootWith(t, tree, [
        'USER app',
        'WORKDIR /data/i n',
        hostile,
        'ENV PATH=/none',
        run(script),
      ]);
      const [output, code] = await ended(started(root));
      const variables = "it's; $(touch /x)|`exit 3`|/home/app|/none";
      assert.deepEqual(output.split('\n'), ['7', '8', '8 9 11', '/data/i n', variables, '']);
      assert.equal(code, 7);
    });

    test('a signal ends the program as the config wants it, and its exit code is the end', async (t) => {
      const waiting = `trap 'echo asked; exit 5' USR2; trap 'echo passed' HUP; echo ready; while :; do ${
        tree === 'busybox alone' ? '/bin/busybox ' : ''
      }sleep 0.05; done`;
      const root = await rootWith(t, tree, ['STOPSIGNAL SIGUSR2', run(waiting)]);
      const child = started(root);
      const end = ended(child);
      const said = async (word: string) => {
        for await (const [chunk] of events(child)) if (String(chunk).includes(word)) return;
      };
      await said('ready');
      process.kill(firstOf(child), 'SIGHUP');
      await said('passed');
      process.kill(firstOf(child), 'SIGTERM');
      assert.deepEqual(await end, ['ready\npassed\nasked\n', 5]);
    });

    test('it takes leave of processes whose parent has gone', async (t) => {
      const sleep = tree === 'busybox alone' ? '/bin/busybox sleep' : 'sleep';
      const script = `(${sleep} 0.2 & echo $! >/dev/shm/orphan); read -r orphan </dev/shm/orphan
        count=0; while [ -e /proc/$orphan ] && [ $count -lt 200 ]; do ${sleep} 0.05; count=$((count+1)); done
        [ -e /proc/$orphan ] && exit 1; echo gone`;
      const root = await rootWith(t, tree, [run(script)]);
      assert.deepEqual(await ended(started(root)), ['gone\n', 0]);
    });
  });
}

async function* events(child: ChildProcess): AsyncGenerator<[unknown]> {
  for (;;) yield (await once(child.stdout!, 'data')) as [unknown];
}

test('the program does not ignore what a terminal sends, where the tree has a way', { skip }, async (t) => {
  for (const tree of Object.keys(TREES).filter((name) => name !== 'busybox alone')) {
    const root = await rootWith(t, tree, ['CMD ["/bin/cat", "/proc/self/status"]']);
    const [status] = await ended(started(root));
    assert.match(status, /^SigIgn:\s+0000000000000000$/m, tree);
  }
});

test('a program that is not there, and one that may not be run, end as in a shell', { skip }, async (t) => {
  for (const [program, expected] of [
    ['/bin/nothing', 127],
    ['/etc/passwd', 126],
  ] as const) {
    const root = await rootWith(t, 'busybox alone', [`CMD ["${program}"]`]);
    assert.equal((await ended(started(root)))[1], expected);
  }
});

test('nobody but the first process runs it', { skip }, async (t) => {
  const root = await rootWith(t, 'busybox alone', ['CMD ["/bin/busybox"]']);
  const { status, stderr } = spawnSync('chroot', [root, '/sbin/flatten-init'], { encoding: 'utf8' });
  assert.equal(status, 1);
  assert.equal(stderr, '/sbin/flatten-init: is for the first process of a machine\n');
});

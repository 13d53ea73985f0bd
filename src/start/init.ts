import { posix } from 'node:path';
import { FlattenError } from '../errors.js';
import { signalNumber } from '../oci/change/signal.js';
import type { Directory, Node } from '../rootfs/node.js';
import { lookup } from '../rootfs/path.js';
import { become } from './become.js';
import { type InitParts, initScript } from './init-script.js';
import { quoted } from './quoted.js';
import type { Settings } from './settings.js';
import { Tools } from './tools.js';

/** The script, and what must be in the tree for it. */
export interface Init {
  readonly text: string;
  /** Absolute paths of directories, with the modes of those that are not there. */
  readonly directories: readonly { readonly path: string; readonly mode: number }[];
  /** The inodes of the programs that it runs, and of the symlinks that lead to them. */
  readonly programs: ReadonlySet<Node>;
}

/** Directories that something is mounted on, or that are written to. */
const MOUNT_POINTS = ['/proc', '/sys', '/dev'].map((path) => ({ path, mode: 0o755 }));
const WRITTEN = [
  { path: '/run', mode: 0o755 },
  { path: '/tmp', mode: 0o1777 },
];

/**
 * Writes the script that starts an image as a machine. Which programs of the tree it runs is settled here: it finds all of them,
 * or throws `UNSUPPORTED`.
 */
export function initOf(settings: Settings, root: Directory): Init {
  const { args, user, stopSignal = '', volumes } = settings;
  if (args.length === 0) throw noProgram();
  const tools = new Tools(root);
  const found = programsOf(tools, user.uid !== 0);
  const cwd = posix.normalize(settings.cwd);
  const volumePaths = volumes.map((path) => posix.normalize(`/${path}`).replace(/(?<=.)\/$/, ''));
  const written = [
    ...WRITTEN,
    ...[...new Set(volumePaths)]
      .filter((path) => path !== '/' && ![...MOUNT_POINTS, ...WRITTEN].some((known) => known.path === path))
      .map((path) => ({ path, mode: 0o755 })),
  ];
  const above = new Set([...written.map(({ path }) => path), cwd].flatMap(parentsOf));
  const cp = tools.find('cp');
  const sync = tools.find('sync');
  const loopback = loopbackBy(tools);
  const start = become(settings, root, tools);
  const program = [...environmentBy(found.env, settings, tools), ...programOf(args)].join(' ');
  const text = initScript({
    ...found,
    ...(cp !== undefined && { cp }),
    ...(sync !== undefined && { sync }),
    ...(loopback !== undefined && { loopback }),
    uid: user.uid,
    cwd: quoted(cwd),
    written: written.map((directory) => writtenIn(root, directory, above)),
    program,
    start: start.byShell ? start.words : `${start.words}${program}`,
    again: start.byShell ?? false,
    stopSignal: signalNumber(stopSignal) ?? 15,
  });
  const directories = [...MOUNT_POINTS, ...written, { path: cwd, mode: 0o755 }];
  const commands = [found.shell, found.mount, found.env, start.words, cp ?? ''].filter(
    (words) => words !== '',
  );
  const programs = new Set(commands.flatMap((words) => tools.nodesOf(words)));
  return { text, directories, programs };
}

export function noProgram(): FlattenError {
  return new FlattenError('UNSUPPORTED', 'the config names no program to run, and a runtime wants one', {
    hint: 'the image may be no program: write json, and start what you like',
  });
}

function programsOf(tools: Tools, changesUser: boolean) {
  const shell = ['sh', 'dash', 'ash', 'bash']
    .map((name) => tools.find(name))
    .find((path) => path !== undefined);
  const names = ['mount', 'mkdir', 'ln', 'env', ...(changesUser ? ['chown'] : [])];
  const found = Object.fromEntries([['shell', shell], ...names.map((name) => [name, tools.find(name)])]);
  const missing = Object.entries(found).flatMap(([name, path]) => (path === undefined ? [name] : []));
  if (missing.length > 0) {
    const list = missing.map((name) => (name === 'shell' ? 'a shell' : name)).join(', ');
    throw new FlattenError('UNSUPPORTED', `the tree lacks programs to start it with: ${list}`, {
      hint: 'a static busybox has all of them: put it alone in a directory, and add that: {add: DIR:bin}',
    });
  }
  return found as { shell: string; mount: string; mkdir: string; ln: string; env: string; chown?: string };
}

function loopbackBy(tools: Tools): string | undefined {
  const ip = tools.find('ip');
  if (ip !== undefined) return `${ip} link set lo up`;
  const ifconfig = tools.find('ifconfig');
  return ifconfig && `${ifconfig} lo up`;
}

/** `env` with the environment of the image alone; engines add HOME, too. */
function environmentBy(env: string, { env: variables, user }: Settings, tools: Tools): string[] {
  const path = env.split(' ', 1)[0]!;
  const signals =
    !env.includes(' ') && tools.says(path, 'default-signal') ? ['--default-signal=INT,QUIT'] : [];
  const home = Buffer.from(user.home ?? '/', 'latin1').toString('utf8');
  const all = variables.some((variable) => variable.startsWith('HOME='))
    ? variables
    : [...variables, `HOME=${home}`];
  const set = all.filter((variable) => variable.indexOf('=') > 0);
  return [env, '-i', ...signals, '--', ...set.map(quoted)];
}

/** What `env` runs: its first word without an equals sign. */
function programOf(args: readonly string[]): string[] {
  if (args[0] === '' || args[0]!.includes('=')) {
    throw new FlattenError(
      'UNSUPPORTED',
      `the config's program, ${quoted(args[0]!)}, has a name that env cannot run`,
    );
  }
  return args.map(quoted);
}

/** `above` are directories that something will be in. */
function writtenIn(
  root: Directory,
  { path, mode }: Init['directories'][number],
  above: ReadonlySet<string>,
): InitParts['written'][number] {
  const node = lookup(root, Buffer.from(path).toString('latin1'), { follow: true });
  const known = node?.kind === 'directory' ? node : undefined;
  return {
    path: quoted(path),
    mode: `0${(known?.meta.mode ?? mode).toString(8)}`,
    isEmpty: (known?.children.size ?? 0) === 0 && !above.has(path),
  };
}

/** The directories that lead to an absolute path, without the root. */
function parentsOf(path: string): string[] {
  const parents: string[] = [];
  for (let at = posix.dirname(path); at !== '/'; at = posix.dirname(at)) parents.push(at);
  return parents;
}

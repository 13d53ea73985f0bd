import { execFile, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

process.env.PATH += ':/usr/sbin:/sbin';
const run = promisify(execFile);
const TIME = '/usr/bin/time';

/** Runs a command to its end, untimed; its standard output, or an error with the tail of its standard error. */
export async function command(program, args, options = {}) {
  const { stdout } = await run(program, args, { maxBuffer: 2 ** 28, ...options });
  return stdout;
}

/** As {@link command}, for clean-ups that must be over before the program ends: failures are ignored. */
export function commandNow(program, args) {
  spawnSync(program, args, { stdio: 'ignore' });
}

/** Has every name stand for the program at its path from now on, whatever else PATH has. `dir` keeps the names. */
export function preferPrograms(programs, dir) {
  if (programs.size === 0) return;
  const names = join(dir, 'peers');
  rmSync(names, { recursive: true, force: true });
  mkdirSync(names, { recursive: true });
  for (const [name, path] of programs) symlinkSync(path, join(names, name));
  process.env.PATH = `${names}:${process.env.PATH}`;
}

/** Whether a program is on PATH. */
export function isThere(program) {
  return process.env.PATH.split(':').some((directory) => existsSync(join(directory, program)));
}

/**
 * Runs a command on the given CPUs and measures it: `wall` and `cpu` (user and system, with its children) in
 * seconds, `peak` resident memory of its largest process in bytes. Without GNU time only `wall` is known.
 * Rejects where the command fails.
 */
export async function measure(argv, { cpus, cwd }) {
  const figures = join(tmpdir(), `flatten-bench-${process.pid}.time`);
  const pinned = cpus === 'all' || !isThere('taskset') ? [] : ['taskset', '-c', cpus];
  const timed = existsSync(TIME) ? [TIME, '-q', '-f', '%U %S %M', '-o', figures] : [];
  const start = performance.now();
  await finish([...pinned, ...timed, ...argv], cwd);
  const wall = (performance.now() - start) / 1000;
  if (timed.length === 0) return { wall };
  const [user, system, peak] = readFileSync(figures, 'utf8').trim().split(' ').map(Number);
  rmSync(figures);
  return { wall, cpu: user + system, peak: peak * 1024 };
}

function finish([program, ...args], cwd) {
  const env = { ...process.env };
  delete env.TMPDIR; // a temporary file goes where each program puts it by itself
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, env, stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    child.stderr.setEncoding('latin1').on('data', (text) => {
      said = (said + text).slice(-2000);
    });
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve();
      else reject(new Error(said.trim().split('\n').slice(-2).join(' / ') || `${program}: exit ${code}`));
    });
  });
}

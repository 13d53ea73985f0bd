import { type ChildProcess, spawn } from 'node:child_process';

/** How a command ended. */
export interface Ended {
  /** Its exit code; undefined where a signal ended it. */
  readonly code: number | undefined;
  readonly timedOut: boolean;
  /** The last lines of what it printed. */
  readonly said: string;
}

export interface ShellOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Seconds; then the command and what it started are killed. */
  readonly timeout: number;
}

const running = new Set<ChildProcess>();

/** Runs a line by `sh`, in a process group of its own: nothing of it is left when it has ended. */
export function shell(line: string, { cwd, env, timeout }: ShellOptions): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn('/bin/sh', ['-c', line], {
      cwd,
      detached: true,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    running.add(child);
    let said = '';
    for (const pipe of [child.stdout, child.stderr])
      pipe.setEncoding('latin1').on('data', (text: string) => {
        said = (said + text).slice(-4000);
      });
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      killGroup(child);
    }, timeout * 1000);
    child.on('error', reject);
    // Not `close`: what left the group may hold the pipes for as long as it likes.
    child.on('exit', (code) => {
      clearTimeout(timer);
      killGroup(child);
      setImmediate(() => {
        running.delete(child);
        for (const pipe of [child.stdout, child.stderr]) pipe.destroy();
        resolve({ code: code ?? undefined, timedOut, said });
      });
    });
  });
}

/** Ends all that run. */
export function killAll(): void {
  for (const child of running) killGroup(child);
}

function killGroup({ pid }: ChildProcess): void {
  try {
    process.kill(-pid!, 'SIGKILL');
  } catch {} // it has ended
}

/** A path as a word of a shell line. */
export function quoted(path: string): string {
  return /^[\w./:@%+=-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}

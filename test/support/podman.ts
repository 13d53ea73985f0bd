import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout } from 'node:timers/promises';

/** A podman with nothing in it. */
export interface Podman {
  /** Options that every call of it takes: its storage. */
  readonly storage: readonly string[];
  podman(...args: string[]): string;
  /** Has its service listen on a unix socket until the test ends. */
  serve(socket: string): Promise<void>;
}

const PATIENCE_MS = 30_000;

/** A podman whose images lie in a directory of their own, which goes with the test. It takes root. */
export async function ownPodman(t: TestContext): Promise<Podman> {
  const home = await mkdtemp(join(tmpdir(), 'flatten-podman-'));
  t.after(() => rmSync(home, { recursive: true, force: true }));
  const storage = ['--root', join(home, 'root'), '--runroot', join(home, 'run'), '--storage-driver', 'vfs'];
  const podman = (...args: string[]) =>
    execFileSync('podman', [...storage, ...args], { stdio: 'pipe', encoding: 'utf8' });
  return {
    storage,
    podman,
    async serve(socket) {
      mkdirSync(dirname(socket), { recursive: true });
      const args = [...storage, 'system', 'service', '--time=0', `unix://${socket}`];
      const service = spawn('podman', args, { stdio: 'ignore' });
      const ended = once(service, 'exit');
      t.after(async () => {
        service.kill('SIGTERM');
        await ended;
      });
      for (const start = Date.now(); !existsSync(socket); await setTimeout(50))
        if (service.exitCode !== null || Date.now() - start > PATIENCE_MS)
          throw new Error('podman does not listen');
    },
  };
}

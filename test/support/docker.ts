import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';

/** What this machine must have for {@link startEngine}. */
export const ENGINE_NEEDS = ['root', 'dockerd', 'docker'] as const;

/** A Docker engine of our own, with nothing in it. */
export interface Engine {
  /** For DOCKER_HOST. */
  readonly host: string;
  /** Runs `docker` against it and gives what it prints. */
  docker(...args: string[]): string;
}

const PATIENCE_MS = 30_000;

/** Starts an engine, without any network; it ends with the test. */
export async function startEngine(t: { after(done: () => Promise<void>): void }): Promise<Engine> {
  const home = mkdtempSync(join(tmpdir(), 'flatten-engine-'));
  const host = `unix://${join(home, 'docker.sock')}`;
  const flags = ['--storage-driver=overlay2', '--iptables=false', '--bridge=none', '-H', host];
  const places = ['--data-root', 'data', '--exec-root', 'exec', '-p', 'pid'].map((word) =>
    word.startsWith('-') ? word : join(home, word),
  );
  const PATH = `${process.env.PATH}:/usr/sbin:/sbin`;
  const daemon = spawn('dockerd', [...flags, ...places], { env: { ...process.env, PATH }, stdio: 'ignore' });
  const ended = once(daemon, 'exit');
  t.after(async () => {
    daemon.kill('SIGTERM');
    await ended;
    rmSync(home, { recursive: true, force: true });
  });
  const env = { ...process.env, DOCKER_HOST: host };
  const docker = (...args: string[]) =>
    execFileSync('docker', args, { env, encoding: 'utf8', stdio: 'pipe' });
  for (const start = Date.now(); ; ) {
    try {
      docker('version');
      return { host, docker };
    } catch (error) {
      if (daemon.exitCode !== null || Date.now() - start > PATIENCE_MS) throw error;
      await setTimeout(200);
    }
  }
}

/** Whether the program in the demo image can run here. */
export const RUNS_DEMO = process.arch === 'x64' && readFileSync('/proc/version', 'utf8').startsWith('Linux');

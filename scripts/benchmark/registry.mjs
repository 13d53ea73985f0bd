import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { command } from './command.mjs';

/** Bytes a second for each connection, on the way that is limited: what stores of blobs give is of that order. */
const RATE = 40e6;

/** Debian's `docker-registry` on this machine, with a second way to it on which every connection is limited. It is started by the first image. */
export class Registry {
  #home;
  #closes = [];
  #started;

  /** `dir` keeps what is pushed while it runs. */
  constructor(dir) {
    this.#home = join(dir, 'registry');
  }

  /**
   * Has an input's layout in the registry, and in a cache of flatten's.
   * @returns {Promise<{name: string, host: string, limited: string, cache: string}>}
   */
  async push({ name, oci }, { flatten }) {
    this.#started ??= this.#start();
    const [host, limited] = await this.#started;
    const repository = `bench/${name
      .toLowerCase()
      .replaceAll(/[^a-z0-9]+/g, '-')
      .replace(/^-|-$/g, '')}`;
    const image = `docker://${host}/${repository}:latest`;
    const quiet = ['--insecure-policy', 'copy', '-q', '--dest-tls-verify=false'];
    await command('skopeo', [...quiet, `oci:${oci}:latest`, image]);
    const cache = join(this.#home, 'cache');
    await command(process.execPath, [
      flatten,
      image,
      '-q',
      '--cache',
      cache,
      '-o',
      join(this.#home, 'out.tar'),
    ]);
    rmSync(join(this.#home, 'out.tar'));
    return { name: repository, host, limited, cache };
  }

  /** Ends the servers, and removes what was pushed. */
  stop() {
    for (const close of this.#closes.splice(0)) close();
    rmSync(this.#home, { recursive: true, force: true });
  }

  async #start() {
    rmSync(this.#home, { recursive: true, force: true });
    mkdirSync(this.#home, { recursive: true });
    const { host, close } = await serve(this.#home);
    const pace = fileURLToPath(new URL('pace.mjs', import.meta.url));
    const stdio = ['pipe', 'pipe', 'inherit']; // it ends with its standard input
    const limiter = spawn(process.execPath, [pace, host.split(':')[1], `${RATE}`], { stdio });
    this.#closes.push(close, () => limiter.kill());
    const [port] = await once(createInterface({ input: limiter.stdout }), 'line');
    return [host, `127.0.0.1:${port}`];
  }
}

/** Starts Debian's registry on a free port. */
export async function serve(directory) {
  const config = join(directory, 'config.yml');
  const settings = [
    'version: 0.1',
    'log: {level: info}',
    `storage: {filesystem: {rootdirectory: ${join(directory, 'data')}}}`,
    'http: {addr: "127.0.0.1:0", secret: bench}',
  ];
  writeFileSync(config, `${settings.join('\n')}\n`);
  const server = spawn('docker-registry', ['serve', config], { stdio: ['ignore', 'ignore', 'pipe'] });
  process.once('exit', () => server.kill());
  for await (const line of createInterface({ input: server.stderr })) {
    const port = /listening on 127\.0\.0\.1:(\d+)/.exec(line)?.[1];
    if (port === undefined) continue;
    server.stderr.resume();
    server.unref();
    server.stderr.unref?.();
    return { host: `127.0.0.1:${port}`, close: () => server.kill() };
  }
  throw new Error('docker-registry does not start');
}

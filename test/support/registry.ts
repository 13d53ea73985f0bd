import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { makeCertificates } from './certificates.js';
import { scratch } from './scratch.js';
import { startTokenServer } from './token-server.js';

/** A registry that runs on this machine until the test ends. */
export interface TestRegistry {
  /** `127.0.0.1:PORT`. */
  readonly host: string;
  /** The directory for `certs.d` that has its authority; only with `tls`. */
  readonly certificates: string;
  /** The directory with the certificate of a client and its key; only with `tls`. */
  readonly client: string;
  /** What `docker login` would have written. */
  readonly auth: string;
  /** The arguments with which skopeo pushes to it. */
  readonly push: readonly string[];
  /** What the server of tokens was asked for, in order: only with `token`. */
  readonly asked: string[];
  /** What it has answered, in order and a little later: `201 PUT /v2/app/manifests/1`. */
  readonly answered: string[];
}

export interface RegistryOptions {
  readonly login?: 'htpasswd' | 'token';
  readonly tls?: boolean;
  /** With `tls`: it wants a certificate of its clients. */
  readonly clients?: boolean;
  /** Nothing can be pushed to it. */
  readonly isReadOnly?: boolean;
}

export const USER = 'tester';
export const PASSWORD = 'secret-of-tests';
/** The same, as htpasswd -B has it. */
const BCRYPT = '$2b$04$R3keGKdS6/MPSmECvrsjeeQ3fjbZ37q3umRmBhltu2TWTv4Ivfm2W';

/** Starts Debian's `docker-registry` on a free port: `needs('docker-registry', 'skopeo')`, and `openssl` for tokens and TLS. */
export async function startRegistry(
  t: { after(done: () => void): void },
  { login, tls = false, clients = false, isReadOnly = false }: RegistryOptions = {},
): Promise<TestRegistry> {
  const home = scratch(t);
  const config: string[] = ['version: 0.1', 'log: {level: info}'];
  const maintenance = isReadOnly ? ', maintenance: {readonly: {enabled: true}}' : '';
  config.push(`storage: {filesystem: {rootdirectory: ${home}/data}${maintenance}}`);
  const asked: string[] = [];
  if (login === 'htpasswd') {
    writeFileSync(join(home, 'htpasswd'), `${USER}:${BCRYPT}\n`);
    config.push(`auth: {htpasswd: {realm: test, path: ${home}/htpasswd}}`);
  }
  if (login === 'token') {
    const { realm, certificate } = await startTokenServer(t, home, asked);
    config.push(
      `auth: {token: {realm: "${realm}", service: test-service, issuer: test-issuer, rootcertbundle: ${certificate}}}`,
    );
  }
  const served = tls
    ? `, tls: {certificate: ${home}/server.crt, key: ${home}/server.key${clients ? `, clientcas: [${home}/ca/ca.crt]` : ''}}`
    : '';
  if (tls) makeCertificates(home);
  config.push(`http: {addr: "127.0.0.1:0", secret: test${served}}`);
  writeFileSync(join(home, 'config.yml'), `${config.join('\n')}\n`);
  const answered: string[] = [];
  const host = `127.0.0.1:${await serve(t, join(home, 'config.yml'), answered)}`;
  const shown = clients ? ['--dest-cert-dir', join(home, 'client')] : [];
  const credentials = login ? ['--dest-creds', `${USER}:${PASSWORD}`] : [];
  return {
    host,
    certificates: join(home, 'ca'),
    client: join(home, 'client'),
    auth: Buffer.from(`${USER}:${PASSWORD}`).toString('base64'),
    push: ['--insecure-policy', 'copy', '-q', '--dest-tls-verify=false', ...credentials, ...shown],
    asked,
    answered,
  };
}

/** Pushes an image by skopeo: `docker-archive:FILE`, `oci:DIR:TAG`. `name` is `repository:tag`. */
export async function push(
  registry: TestRegistry,
  from: string,
  name: string,
  ...more: readonly string[]
): Promise<void> {
  // Not synchronously: the server of tokens may be in this process.
  await promisify(execFile)(
    'skopeo',
    [...registry.push, ...more, from, `docker://${registry.host}/${name}`],
    {
      timeout: 60_000,
    },
  );
}

/** Starts it, and gives its port once it listens. */
async function serve(
  t: { after(done: () => void): void },
  config: string,
  answered: string[],
): Promise<number> {
  const server = spawn('docker-registry', ['serve', config], { stdio: ['ignore', 'pipe', 'pipe'] });
  t.after(() => server.kill());
  createInterface({ input: server.stdout }).on('line', (line) => {
    const [, asked, status] = /"([A-Z]+ \S+) HTTP\/[\d.]+" (\d+)/.exec(line) ?? [];
    if (asked !== undefined) answered.push(`${status} ${asked}`);
  });
  const lines = createInterface({ input: server.stderr });
  const said: string[] = [];
  for await (const line of lines) {
    said.push(line);
    const port = /listening on 127\.0\.0\.1:(\d+)/.exec(line)?.[1];
    if (port === undefined) continue;
    server.stderr.resume();
    return Number(port);
  }
  await once(server, 'exit');
  throw new Error(`docker-registry has ended: ${said.join('\n')}`);
}

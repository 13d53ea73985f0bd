import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const KEY = ['-newkey', 'rsa:2048', '-nodes', '-keyout'];

/**
 * Makes an authority in `ca/ca.crt`, a certificate of its for servers on this machine, `server.crt` and `server.key`, and one for
 * clients, `client/client.cert` with its key: `needs('openssl')`.
 */
export function makeCertificates(home: string): void {
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: home, stdio: 'ignore' });
  for (const name of ['ca', 'client']) mkdirSync(join(home, name));
  writeFileSync(join(home, 'server.names'), 'subjectAltName=DNS:localhost,DNS:*.example.test,IP:127.0.0.1\n');
  writeFileSync(join(home, 'client/client.names'), 'extendedKeyUsage=clientAuth\n');
  const isAuthority = ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign'];
  const authority = ['-subj', '/CN=test authority', ...isAuthority.flatMap((each) => ['-addext', each])];
  openssl('req', '-x509', ...KEY, 'ca.key', '-out', 'ca/ca.crt', '-days', '2', ...authority);
  for (const [name, subject, file] of [
    ['server', 'localhost', 'server.crt'],
    ['client/client', 'tester', 'client/client.cert'],
  ] as const) {
    openssl('req', ...KEY, `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${subject}`);
    const signer = ['-CA', 'ca/ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2'];
    openssl('x509', '-req', '-in', `${name}.csr`, '-out', file, ...signer, '-extfile', `${name}.names`);
  }
}

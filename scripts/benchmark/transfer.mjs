// node transfer.mjs HOST NAME CONNECTIONS: fetches all layers of an image by http, over so many connections, and keeps nothing.
import { Agent, get } from 'node:http';

const [host, name, connections] = process.argv.slice(2);
const agent = new Agent({ keepAlive: true, maxSockets: Number(connections) });
const [hostname, port] = host.split(':');
const RANGE = 4 * 2 ** 20;

/** The body of an answer, or how long it is. */
function ask(path, headers, keep) {
  return new Promise((resolve, reject) => {
    get({ agent, hostname, port, path: `/v2/${name}/${path}`, headers }, (answer) => {
      if (answer.statusCode >= 300) return reject(new Error(`${path}: ${answer.statusCode}`));
      const chunks = [];
      answer.on('data', (chunk) => keep && chunks.push(chunk));
      answer.on('end', () => resolve(Buffer.concat(chunks)));
      return answer.on('error', reject);
    }).on('error', reject);
  });
}

const accept =
  'application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json';
const { layers } = JSON.parse(await ask('manifests/latest', { accept }, true));
const parts = layers.flatMap(({ digest, size }) =>
  Array.from({ length: Math.ceil(size / RANGE) }, (_, each) => {
    const end = Math.min(size, (each + 1) * RANGE);
    return [`blobs/${digest}`, { range: `bytes=${each * RANGE}-${end - 1}` }];
  }),
);
await Promise.all(parts.map(([path, headers]) => ask(path, headers, false)));
agent.destroy();

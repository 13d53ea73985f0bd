import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { createServer as createSecureServer, type ServerOptions } from 'node:https';
import type { RunEvent } from '../../src/context.js';
import type { ClientMeans } from '../../src/registry/client.js';
import { Connections } from '../../src/registry/connections.js';
import type { Credential } from '../../src/registry/credential.js';
import { Destination } from '../../src/registry/destination.js';
import { Repository } from '../../src/registry/repository.js';
import { listening } from './listening.js';

/** What a server does with a request. What it does not answer is 404. */
export type Script = (request: IncomingMessage, response: ServerResponse, path: string) => unknown;

/** A server that does what it is told, and keeps what it was asked. */
export interface Scripted {
  readonly host: string;
  readonly url: string;
  /** As `GET /v2/`, with ` bytes=0-9` and ` (Bearer x)` where there was a range or an authorization. */
  readonly asked: string[];
}

/** Starts one, by https with `tls`; `/v2/` is answered unless the script does. */
export async function scripted(
  t: { after(done: () => void): void },
  script: Script,
  tls?: ServerOptions,
): Promise<Scripted> {
  const asked: string[] = [];
  const answer: RequestListener = async (request, response) => {
    const { method, url = '', headers } = request;
    const { range, authorization } = headers;
    asked.push(
      [method, url, ...(range ? [range] : []), ...(authorization ? [`(${authorization})`] : [])].join(' '),
    );
    await script(request, response, url);
    if (response.writableEnded || response.destroyed || response.headersSent) return;
    response.writeHead(url === '/v2/' ? 200 : 404).end();
  };
  const url = await listening(t, tls ? createSecureServer(tls, answer) : createServer(answer));
  return { url, host: new URL(url).host, asked };
}

const REFERENCE = { repository: 'app', tag: '1' };

/** A repository `app` there, which does not wait; what it would have waited for goes to `waits`, what it told to `told`. */
export function repositoryAt(
  t: { after(done: () => void): void },
  host: string,
  credential?: Credential,
  more: Partial<ClientMeans> = {},
) {
  const { means, waits, told } = impatient(credential);
  const repository = new Repository({ host, ...REFERENCE }, { ...means, ...more });
  t.after(() => void repository.close());
  return { repository, waits, told };
}

/** The same to push to. */
export function destinationAt(t: { after(done: () => void): void }, host: string, credential?: Credential) {
  const { means, waits, told } = impatient(credential);
  const destination = new Destination({ host, ...REFERENCE }, means);
  t.after(() => void destination.close());
  return { destination, waits, told };
}

function impatient(credential: Credential | undefined) {
  const waits: number[] = [];
  const told: string[] = [];
  const means = {
    connections: new Connections(() => ({})),
    credential,
    waiting: {
      pause: async (milliseconds: number) => waits.push(milliseconds),
      random: () => 0.5,
      report: (event: RunEvent) => event.type === 'warning' && told.push(event.message),
    },
  };
  return { means, waits, told };
}

/** So many bytes that do not repeat, and what a manifest says of them. */
export function blobOf(size: number) {
  const bytes = Buffer.alloc(size);
  for (let at = 0; at + 4 <= size; at += 4) bytes.writeUInt32LE((at * 2654435761) >>> 0, at);
  const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}` as const;
  return { bytes, descriptor: { digest, size } };
}

/** All the bytes of a blob. */
export async function read(
  repository: Repository,
  descriptor: Parameters<Repository['fetchBlob']>[0],
  offset = 0,
) {
  const chunks: Uint8Array[] = [];
  const { signal } = new AbortController();
  for await (const chunk of await repository.fetchBlob(descriptor, { offset, signal }))
    chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

/** Answers with the range that was asked for, of which only `sent` bytes come. */
export function partial(
  whole: Buffer,
  request: IncomingMessage,
  response: ServerResponse,
  sent = Number.POSITIVE_INFINITY,
) {
  const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? [];
  const [start, end] = from === undefined ? [0, whole.length] : [Number(from), Number(to) + 1];
  const part = whole.subarray(start, end);
  response.writeHead(from === undefined ? 200 : 206, {
    'content-length': part.length,
    ...(from !== undefined && { 'content-range': `bytes ${start}-${end - 1}/${whole.length}` }),
  });
  if (sent >= part.length) return response.end(part);
  return response.write(part.subarray(0, sent), () => setImmediate(() => response.destroy()));
}

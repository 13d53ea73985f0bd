import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';

/** What was asked of a server. */
export interface Asked {
  readonly path: string;
  readonly range: string | undefined;
  readonly ifRange: string | undefined;
  readonly authorization: string | undefined;
}

/** An http server on loopback that writes down what it is asked, until the test ends. */
export async function listen(t: TestContext, answer: RequestListener) {
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    const { range, 'if-range': ifRange, authorization } = request.headers;
    asked.push({ path: request.url!, range, ifRange: ifRange as string | undefined, authorization });
    answer(request, response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { asked, port, url: `http://127.0.0.1:${port}` };
}

/** How {@link sendFile} goes about it. */
export interface Sending {
  readonly etag?: string;
  /** Ends the connection after so many bytes of the body. */
  readonly cut?: number;
  /** Knows no ranges. */
  readonly whole?: boolean;
}

/** Answers a request for a file as a good server does, or as far as it is let. */
export function sendFile(
  bytes: Buffer,
  { headers }: IncomingMessage,
  response: ServerResponse,
  { etag, cut, whole = false }: Sending = {},
): void {
  const offset = whole ? 0 : Number(/\d+/.exec(headers.range ?? '')?.[0] ?? 0);
  const isRange = !whole && headers.range !== undefined && (headers['if-range'] ?? etag) === etag;
  const body = bytes.subarray(isRange ? offset : 0);
  response.writeHead(isRange ? 206 : 200, {
    'content-length': body.length,
    ...(etag && { etag }),
    ...(isRange && { 'content-range': `bytes ${offset}-${bytes.length - 1}/${bytes.length}` }),
  });
  if (cut === undefined) response.end(body);
  else response.write(body.subarray(0, cut), () => setImmediate(() => response.destroy()));
}

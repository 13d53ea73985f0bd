import { createServer, request } from 'node:http';
import { connect } from 'node:net';
import { listening } from './listening.js';

/** A proxy on this machine, and what it was asked for: `CONNECT host:port`, `GET http://host/path`. */
export interface TestProxy {
  readonly url: string;
  readonly asked: string[];
}

/** Starts a proxy that leads every name to `host`, `127.0.0.1:PORT`: by CONNECT to port 443 only, as real ones are set up, else by forwarding. */
export async function startProxy(t: { after(done: () => void): void }, host: string): Promise<TestProxy> {
  const asked: string[] = [];
  const [hostname, port] = host.split(':') as [string, string];
  const server = createServer(({ method, url = '', headers }, response) => {
    asked.push(`${method} ${url}`);
    const { pathname, search } = new URL(url);
    request({ hostname, port, method, headers, path: `${pathname}${search}` }, (answer) => {
      response.writeHead(answer.statusCode!, answer.headers);
      answer.pipe(response);
    })
      .on('error', () => response.destroy())
      .end();
  });
  server.on('connect', ({ url = '' }, socket) => {
    asked.push(`CONNECT ${url}`);
    if (!url.endsWith(':443')) return socket.end('HTTP/1.1 403 Access violation\r\n\r\n');
    const far = connect(Number(port), hostname, () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      far.pipe(socket).pipe(far);
    });
    for (const end of [far, socket]) end.on('error', () => {});
    return undefined;
  });
  return { url: await listening(t, server), asked };
}

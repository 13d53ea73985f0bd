import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Script, type Scripted, scripted } from './scripted-registry.js';

/** A registry that takes uploads to `app` as the specification has it, and keeps them in memory. */
export interface UploadServer extends Scripted {
  readonly blobs: Map<string, Buffer>;
  /** Uploads that have begun and are not ended, by their ids. */
  readonly open: Map<string, Buffer>;
  /** As `PATCH 0 3000`: from where, and how many bytes came. */
  readonly sent: string[];
}

/** What an upload's address is: relative, and with a state that is another one after each request. */
const PLACE = /^\/up\/(\d+)\?state=a%2Fb\+(\d+)%3D(?:&digest=(.+))?$/;

/**
 * Starts one. `over` sees each request first: it may answer it, end its connection, or have only so many bytes of a PATCH taken, by returning their number.
 */
export async function uploadServer(
  t: { after(done: () => void): void },
  over: Script = () => undefined,
): Promise<UploadServer> {
  const blobs = new Map<string, Buffer>();
  const open = new Map<string, Buffer>();
  const sent: string[] = [];
  let ids = 0;
  const placed = (response: ServerResponse, status: number, id: string) => {
    const has = open.get(id)!.length;
    const location = `/up/${id}?state=a%2Fb+${has}%3D`;
    response.writeHead(status, { location, ...(has > 0 && { range: `0-${has - 1}` }) }).end();
  };
  const server = await scripted(t, async (request, response, path) => {
    const taken = await over(request, response, path);
    if (response.headersSent || response.destroyed) return;
    const { method } = request;
    const blob = /^\/v2\/app\/blobs\/(sha256:\w+)$/.exec(path)?.[1];
    if (blob !== undefined) return response.writeHead(blobs.has(blob) ? 200 : 404).end();
    if (path.startsWith('/v2/app/blobs/uploads/') && method === 'POST') {
      const id = String(ids++);
      open.set(id, Buffer.alloc(0));
      return placed(response, 202, id);
    }
    const [, id = '', state, digest] = PLACE.exec(path) ?? [];
    const before = open.get(id);
    // What is not the newest address of an upload is none.
    if (before === undefined || (method === 'PATCH' && Number(state) !== before.length)) return undefined;
    if (method === 'GET') return placed(response, 204, id);
    if (method === 'DELETE') {
      open.delete(id);
      return response.writeHead(204).end();
    }
    if (method === 'PATCH') {
      const limit = typeof taken === 'number' ? taken : Number.POSITIVE_INFINITY;
      const bytes = await received(request, limit);
      sent.push(`PATCH ${before.length} ${bytes.length}`);
      open.set(id, Buffer.concat([before, bytes]));
      if (Number.isFinite(limit)) return response.destroy();
      return placed(response, 202, id);
    }
    const name = decodeURIComponent(digest ?? '');
    const is = `sha256:${createHash('sha256').update(before).digest('hex')}`;
    if (is !== name) return response.writeHead(400).end('{"errors":[{"code":"DIGEST_INVALID"}]}');
    blobs.set(is, before);
    open.delete(id);
    return response.writeHead(201).end();
  });
  return { ...server, blobs, open, sent };
}

/** The first bytes of a body; the rest may never come. */
async function received(request: IncomingMessage, limit: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    length += chunk.length;
    if (length >= limit) break;
  }
  return Buffer.concat(chunks).subarray(0, limit);
}

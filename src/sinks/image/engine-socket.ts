import type { IncomingMessage, RequestOptions } from 'node:http';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { FlattenError, throwIfAborted } from '../../errors.js';
import { shown } from '../../oci/shown.js';
import type { Engine } from './engine.js';

/** Where an engine listens. */
export type Address = { readonly socketPath: string } | { readonly host: string; readonly port: number };

/** An answer's last bytes say how it went; so many of them are looked at. */
const ANSWER_LENGTH = 64 * 1024;
const PATIENCE_MS = 5000;

/** The engine at an address, by the Docker Engine API; undefined where nothing answers as one. */
export async function socketEngine(address: Address, signal: AbortSignal): Promise<Engine | undefined> {
  try {
    const patience = AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]);
    const { response } = await send({ ...address, path: '/_ping', signal: patience });
    response.resume();
    if (response.statusCode !== 200) return undefined;
  } catch {
    return undefined;
  }
  return { load: (archive, length, stop) => load(address, archive, length, stop) };
}

async function load(address: Address, archive: Readable, length: number, signal: AbortSignal): Promise<void> {
  const headers = { 'Content-Type': 'application/x-tar', 'Content-Length': length };
  const request = { ...address, path: '/images/load?quiet=1', method: 'POST', headers, signal };
  try {
    const { response } = await send(request, archive);
    const said = messageIn(await textOf(response));
    if (response.statusCode !== 200 || said !== undefined)
      throw new FlattenError('TOOL', `the engine: ${shown(said ?? `answered ${response.statusCode}`)}`);
  } catch (cause) {
    throwIfAborted(signal);
    if (cause instanceof FlattenError) throw cause;
    throw new FlattenError('TOOL', `the engine: ${(cause as Error).message}`, { cause });
  }
}

/** Sends a request with its body; the answer may come before all of it was read. */
async function send(options: RequestOptions, body?: Readable): Promise<{ response: IncomingMessage }> {
  const { request } = await import('node:http');
  const outgoing = request(options);
  const answer = new Promise<IncomingMessage>((resolve, reject) => {
    outgoing.once('response', resolve);
    outgoing.once('error', reject);
  });
  if (body === undefined) outgoing.end();
  // Where the engine hangs up early, its answer says why; without one, `answer` fails too.
  else pipeline(body, outgoing).catch(() => {});
  return { response: await answer };
}

async function textOf(response: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of response) text = (text + chunk).slice(-ANSWER_LENGTH);
  return text;
}

/** The engine's complaint in its stream of JSON lines, if it has one. */
function messageIn(text: string): string | undefined {
  for (const line of text.split('\n').reverse()) {
    try {
      const { error, message } = JSON.parse(line) as { error?: unknown; message?: unknown };
      const said = error ?? message;
      if (typeof said === 'string') return said;
    } catch {}
  }
  return undefined;
}

import type { IncomingMessage, RequestOptions } from 'node:http';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { FlattenError, throwIfAborted } from '../errors.js';
import { withTimeLimit } from '../host/time-limit.js';
import { shown } from '../oci/shown.js';
import { sizeText } from '../size-text.js';
import type { Address } from './address.js';
import { imageIn, messageIn, namesIn } from './answer.js';
import type { Engine, SaveOptions } from './engine.js';
import { wholeArchive } from './saved.js';

/** An answer's last bytes say how it went; so many of them are looked at. */
const TAIL_LENGTH = 64 * 1024;
/** What an engine says of its images; thousands of them take some megabytes. */
const ANSWER_LENGTH = 64 * 2 ** 20;
const PATIENCE_MS = 5000;

/** The engine at an address, by the Docker Engine API; undefined where nothing answers as one. */
export async function socketEngine(address: Address, signal: AbortSignal): Promise<Engine | undefined> {
  try {
    const patience = withTimeLimit(signal, PATIENCE_MS);
    const { response } = await send({ ...address, path: '/_ping', signal: patience });
    response.resume();
    if (response.statusCode !== 200) return undefined;
  } catch {
    return undefined;
  }
  return {
    load: (archive, length, stop) => load(address, archive, length, stop),
    find: async (name, stop) => {
      const text = await ask(address, `/images/${name}/json`, stop);
      return text === undefined ? undefined : imageIn(text);
    },
    names: async (stop) => namesIn((await ask(address, '/images/json', stop)) ?? '[]'),
    save: (name, options) => save(address, name, options),
  };
}

async function load(address: Address, archive: Readable, length: number, signal: AbortSignal): Promise<void> {
  const headers = { 'Content-Type': 'application/x-tar', 'Content-Length': length };
  const request = { ...address, path: '/images/load?quiet=1', method: 'POST', headers, signal };
  await inWords(signal, async () => {
    const { response } = await send(request, archive);
    const said = messageIn(await tailOf(response));
    if (response.statusCode !== 200 || said !== undefined) throw complaint(response, said);
  });
}

/** The answer to a question; undefined where the engine knows nothing of that name. */
async function ask(address: Address, path: string, signal: AbortSignal): Promise<string | undefined> {
  return inWords(signal, async () => {
    const { response } = await send({ ...address, path, signal });
    if (response.statusCode === 200) return wholeText(response);
    const said = messageIn(await tailOf(response));
    if (response.statusCode === 404) return undefined;
    throw complaint(response, said);
  });
}

async function save(address: Address, name: string, { platform, signal }: SaveOptions): Promise<Readable> {
  // Since version 1.48 of the API; engines before it do not look at it.
  const query = platform ? `?platform=${encodeURIComponent(JSON.stringify(platform))}` : '';
  return inWords(signal, async () => {
    const { response } = await send({ ...address, path: `/images/${name}/get${query}`, signal });
    if (response.statusCode !== 200) throw complaint(response, messageIn(await tailOf(response)));
    return wholeArchive(response);
  });
}

function complaint({ statusCode }: IncomingMessage, said: string | undefined): FlattenError {
  return new FlattenError('TOOL', `the engine: ${shown(said ?? `answered ${statusCode}`)}`);
}

async function inWords<T>(signal: AbortSignal, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
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

async function tailOf(response: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of response) text = (text + chunk).slice(-TAIL_LENGTH);
  return text;
}

async function wholeText(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > ANSWER_LENGTH)
      throw new FlattenError('LIMIT', `the engine: its answer has more than ${sizeText(ANSWER_LENGTH)}`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

import { FlattenError } from '../errors.js';
import type { KeptImage } from './engine.js';

/** The engine's complaint in a stream of JSON lines, if it has one. */
export function messageIn(text: string): string | undefined {
  for (const line of text.split('\n').reverse()) {
    try {
      const { error, message } = JSON.parse(line) as { error?: unknown; message?: unknown };
      const said = error ?? message;
      if (typeof said === 'string') return said;
    } catch {}
  }
  return undefined;
}

/** What `inspect` says of one image, alone or in a list. Throws `TOOL` where it makes no sense. */
export function imageIn(text: string): KeptImage {
  const value = parsed(text);
  const { Id: id, RepoTags: tags } = (Array.isArray(value) ? value[0] : value) ?? {};
  if (typeof id !== 'string' || !/^(sha256:)?[0-9a-f]{64}$/.test(id)) throw senseless();
  return { id: id.startsWith('sha256:') ? id : `sha256:${id}`, tags: texts(tags) };
}

/** The names in a list of images, each once. */
export function namesIn(text: string): readonly string[] {
  const value = parsed(text);
  if (!Array.isArray(value)) throw senseless();
  const names = value.flatMap((image) => texts(image?.RepoTags));
  return [...new Set(names)].filter((name) => !name.includes('<none>'));
}

/** What is used of an image's JSON. */
interface Described {
  readonly Id?: unknown;
  readonly RepoTags?: unknown;
}

function parsed(text: string): Described | null | (Described | null)[] {
  try {
    return JSON.parse(text);
  } catch {
    throw senseless();
  }
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((each) => typeof each === 'string') : [];
}

function senseless(): FlattenError {
  return new FlattenError('TOOL', 'the engine: its answer makes no sense');
}

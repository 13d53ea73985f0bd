import { FlattenError } from '../errors.js';
import { nearest } from '../nearest.js';
import type { FlattenOptions } from '../options.js';
import type { ImageOptions } from '../squash.js';

/** The options of `flatten` that an image of a list may have, and that all its images may share. */
export type ItemOptions = Omit<
  FlattenOptions,
  'input' | 'output' | 'image' | 'rootfsOnly' | 'signal' | 'onEvent'
> & {
  /** What {@link FlattenOptions.image} is: images that are written. The word `image` says here what is read. */
  readonly imageOptions?: ImageOptions;
};

/** An image of a list: what is read, where it goes, and how. Its options come before those that all images share. */
export interface BatchItem extends ItemOptions {
  /** As {@link FlattenOptions.input}; not `-`. */
  readonly image: string;
  /** A pattern, in place of the one of the batch. */
  readonly output?: string;
}

/** An image of a list, and where that says so: `fleet.txt:3`. */
export interface Listed {
  readonly place: string;
  readonly item: BatchItem;
}

type Kind = 'text' | 'texts' | 'number' | 'switch' | 'switchOrText' | 'object' | 'objects';

/** The options that there are, and what each is in JSON. The type sees to it that none is forgotten. */
const KINDS: Readonly<Record<keyof BatchItem, Kind>> = {
  image: 'text',
  output: 'text',
  format: 'text',
  reference: 'text',
  platform: 'text',
  authfile: 'text',
  cache: 'text',
  tmp: 'text',
  insecure: 'texts',
  include: 'texts',
  exclude: 'texts',
  sourceDateEpoch: 'number',
  maxSize: 'number',
  maxEntries: 'number',
  cacheSize: 'number',
  allowForeignLayers: 'switch',
  force: 'switch',
  strict: 'switch',
  keepSetuid: 'switch',
  keepDirlinks: 'switch',
  verify: 'switch',
  digests: 'switch',
  digest: 'switch',
  sha256: 'switch',
  disk: 'object',
  imageOptions: 'object',
  mkdir: 'objects',
  add: 'objects',
  addInit: 'switchOrText',
  configOut: 'objects',
};

/** What the options that are objects hold. */
const FIELDS: Readonly<Partial<Record<keyof BatchItem, Readonly<Record<string, readonly Kind[]>>>>> = {
  disk: {
    size: ['number'],
    free: ['number', 'object'],
    freeInodes: ['number'],
    label: ['text'],
    uuid: ['text'],
    journal: ['number', 'text'],
    reserved: ['number'],
    verity: ['switch', 'text'],
  },
  imageOptions: {
    changes: ['texts'],
    message: ['text'],
    author: ['text'],
    compression: ['text'],
    fromLayer: ['text', 'number'],
    last: ['number'],
  },
  mkdir: { path: ['text'], mode: ['number'] },
  add: { directory: ['text'], path: ['text'] },
  configOut: { path: ['text'], format: ['text'] },
};

const WORDS: Readonly<Record<Kind, string>> = {
  text: 'a text',
  texts: 'a list of texts',
  number: 'a whole number, not negative',
  switch: 'true or false',
  switchOrText: 'true, false or a text',
  object: 'an object',
  objects: 'a list of objects',
};

const IS: Readonly<Record<Kind, (value: unknown) => boolean>> = {
  text: (value) => typeof value === 'string' && value !== '' && !/[\x00-\x1f\x7f-\x9f]/.test(value),
  texts: (value) => Array.isArray(value) && value.every(IS.text),
  number: (value) => Number.isSafeInteger(value) && (value as number) >= 0,
  switch: (value) => typeof value === 'boolean',
  switchOrText: (value) => IS.switch(value) || IS.text(value),
  object: (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  objects: (value) => Array.isArray(value) && value.every(IS.object),
};

/** Checks the names and the kinds of an image's options, wherever they come from. Throws `USAGE`, which names the place. */
export function checkItem(value: unknown, place: string): BatchItem {
  if (!IS.object(value)) throw wrong(place, 'is no object');
  const item = value as Readonly<Record<string, unknown>>;
  for (const [name, given] of Object.entries(item)) {
    if (given === undefined) continue;
    if (!Object.hasOwn(KINDS, name)) throw unknown(place, name, Object.keys(KINDS));
    const kind = KINDS[name as keyof BatchItem];
    if (!IS[kind](given)) throw wrong(place, `${JSON.stringify(name)} must be ${WORDS[kind]}`);
    const fields = FIELDS[name as keyof BatchItem];
    if (fields !== undefined)
      for (const each of [given].flat()) checkFields(each as object, fields, `${place}: ${name}`);
  }
  if (item.image === undefined) throw wrong(place, 'has no "image"', EXAMPLE);
  return item as unknown as BatchItem;
}

const EXAMPLE = 'an image in JSON looks like {"image": "docker://alpine:3.20", "platform": "linux/arm64"}';

function checkFields(given: object, fields: Readonly<Record<string, readonly Kind[]>>, place: string): void {
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(fields, name)) throw unknown(place, name, Object.keys(fields));
    const kinds = fields[name]!;
    if (!kinds.some((kind) => IS[kind](value)))
      throw wrong(place, `${JSON.stringify(name)} must be ${kinds.map((kind) => WORDS[kind]).join(', or ')}`);
  }
}

function unknown(place: string, name: string, names: readonly string[]): FlattenError {
  const [near] = nearest(name, names, 1);
  const hint = near === undefined ? `there are ${names.join(', ')}` : `did you mean ${JSON.stringify(near)}?`;
  return wrong(place, `${JSON.stringify(name.slice(0, 100))} is no option`, hint);
}

function wrong(place: string, what: string, hint?: string): FlattenError {
  return new FlattenError('USAGE', `${place}: ${what}`, hint === undefined ? {} : { hint });
}

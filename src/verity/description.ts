import { FlattenError } from '../errors.js';
import { VERITY_BLOCK } from './levels.js';
import type { DmVerity } from './seal.js';
import { tableLine } from './table.js';

/** What `OUTPUT.verity.json` says. */
export interface Description extends DmVerity {
  /** The name of the image's file. */
  readonly image: string;
  /** The name of the tree's file beside it; absent where the tree is in the image. */
  readonly hashFile?: string;
}

/** More is no description. */
export const MAX_DESCRIPTION = 64 * 1024;

/** The text of a description: JSON, with the kernel's line too. */
export function descriptionText(about: Description): string {
  const { image, hashFile, ...verity } = about;
  const said = {
    version: 1,
    ...verity,
    image,
    ...(hashFile !== undefined && { hashFile }),
    table: tableLine(verity),
  };
  return `${JSON.stringify(said, undefined, 2)}\n`;
}

const HEX = /^([0-9a-f]{2})*$/;
const TEXTS = ['rootHash', 'salt', 'uuid', 'image', 'hashFile'] as const;
const NUMBERS = ['dataBlocks', 'hashOffset'] as const;
/** What is the same in all. */
const FIXED = {
  algorithm: 'sha256',
  hashType: 1,
  dataBlockSize: VERITY_BLOCK,
  hashBlockSize: VERITY_BLOCK,
} as const;
const FIELDS: ReadonlySet<string> = new Set([
  'version',
  'table',
  ...TEXTS,
  ...NUMBERS,
  ...Object.keys(FIXED),
]);

/** Takes a description apart. Throws `BAD_IMAGE` where it is none, `UNSUPPORTED` for one of another version, and for other sizes and algorithms than ours. */
export function parseDescription(text: string): Description {
  const said = objectOf(text);
  const { version } = said;
  if (version !== 1)
    throw new FlattenError('UNSUPPORTED', `version ${JSON.stringify(version)} is not known here`);
  for (const name of TEXTS) {
    const isOptional = name === 'hashFile' && !(name in said);
    if (!isOptional && typeof said[name] !== 'string') throw wrong(name);
  }
  for (const name of NUMBERS) if (!isCount(said[name])) throw wrong(name);
  for (const [name, value] of Object.entries(FIXED)) {
    if (said[name] !== value)
      throw new FlattenError('UNSUPPORTED', `${name} is ${JSON.stringify(said[name])}, and not ${value}`);
  }
  for (const name of Object.keys(said)) if (!FIELDS.has(name)) throw wrong(name);
  const {
    version: _,
    table: line,
    ...about
  } = said as unknown as Description & { version: 1; table: string };
  if (!HEX.test(about.rootHash) || about.rootHash.length !== 64) throw wrong('rootHash');
  if (!HEX.test(about.salt) || about.salt.length > 512) throw wrong('salt');
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(about.uuid)) throw wrong('uuid');
  if (about.dataBlocks === 0) throw wrong('dataBlocks');
  if (about.hashOffset % VERITY_BLOCK !== 0) throw wrong('hashOffset');
  for (const name of ['image', 'hashFile'] as const)
    if (/[/\0]|^\.{0,2}$/.test(about[name] ?? 'none')) throw wrong(name);
  if (line !== tableLine(about)) throw wrong('table');
  return about;
}

function objectOf(text: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new FlattenError('BAD_IMAGE', 'is no JSON', { cause });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new FlattenError('BAD_IMAGE', 'is no description of a hash tree');
  return value as Readonly<Record<string, unknown>>;
}

const isCount = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0;

function wrong(name: string): FlattenError {
  return new FlattenError(
    'BAD_IMAGE',
    `its field ${JSON.stringify(name)} is missing, unknown, or does not fit the others`,
  );
}

import type { Readable } from 'node:stream';
import type { Context } from '../context.js';
import type { Engine, KeptImage } from '../engine/engine.js';
import { noEngine, runningEngines } from '../engine/find.js';
import { FlattenError } from '../errors.js';
import { nearest } from '../nearest.js';
import { nameFit } from '../oci/reference.js';
import { shown } from '../oci/shown.js';
import type { Choice } from './image.js';
import type { EngineInput } from './transport.js';

/** Names that an error lists at most. */
const NAMES = 10;

/**
 * The archive of the image that is meant, while the first running engine that has it makes it. Throws `NOT_FOUND` where none has it, and `TOOL`
 * where no engine runs or the engine refuses.
 */
export async function savedImage(
  { text, name }: EngineInput,
  { platform }: Choice,
  { signal }: Pick<Context, 'signal'>,
): Promise<Readable> {
  const asked: Engine[] = [];
  for await (const engine of runningEngines(signal)) {
    asked.push(engine);
    const image = await engine.find(name, signal);
    if (image) return await engine.save(savedName(name, image), { signal, ...(platform && { platform }) });
  }
  if (asked.length === 0) throw noEngine(AS_FILE);
  throw await unknown(text, name, asked, signal);
}

/** The id of the image that is meant in the first running engine that has it; undefined where none has. */
export async function keptImageId(name: string, signal: AbortSignal): Promise<string | undefined> {
  for await (const engine of runningEngines(signal)) {
    const image = await engine.find(name, signal);
    if (image) return image.id;
  }
  return undefined;
}

const AS_FILE = 'or save the image to an archive where one runs: docker save NAME -o image.tar';

/**
 * What to ask for so that just this image comes: of a name alone engines save all its tags, and of an id no name. Image ids and digests go as the
 * id.
 */
function savedName(name: string, { id, tags }: KeptImage): string {
  const tagged = /:[^/]*$/.test(name) ? name : `${name}:latest`;
  return tags.some((tag) => nameFit(tagged, tag) !== undefined) ? tagged : id;
}

async function unknown(
  text: string,
  name: string,
  engines: readonly Engine[],
  signal: AbortSignal,
): Promise<FlattenError> {
  const names = (await Promise.all(engines.map((engine) => engine.names(signal)))).flat();
  const near = nearNames(name, [...new Set(names)]);
  const hint =
    near.length > 0
      ? ['it has:', ...near.map(shown)].join('\n  ')
      : names.length === 0
        ? 'it has no image at all: docker load or docker pull brings one'
        : 'see what it has: docker image ls';
  return new FlattenError('NOT_FOUND', `${text}: the engine has no such image`, { hint });
}

/** Other tags of the same name first, then names that are spelled much the same. */
function nearNames(wanted: string, names: readonly string[]): readonly string[] {
  const bare = wanted.replace(/@.*$/s, '').replace(/:[^/:]*$/, '');
  const same = names.filter((name) => nameFit(bare, name) !== undefined).sort();
  const short = (name: string) => name.replace(/^(docker\.io\/library|docker\.io|localhost)\//, '');
  const spelled = new Map(names.map((name) => [short(name).replace(/:[^/:]*$/, ''), name]));
  const similar = nearest(bare, [...spelled.keys()], NAMES).map((name) => spelled.get(name)!);
  return [...new Set([...same, ...similar])].slice(0, NAMES);
}

import { createHash } from 'node:crypto';
import { FlattenError } from '../errors.js';

/** One of several parts of a list, which different machines take. */
export interface Shard {
  /** From 1 to `count`. */
  readonly index: number;
  readonly count: number;
}

/** Parts that a list may be divided into. */
const MOST = 100_000;

/**
 * Where schedulers say which of several equal jobs this is. Kubernetes gives an Indexed Job its index from 0, and no total: SHARD_COUNT has to say
 * it. Slurm counts its array from a number of the user's choice. Sources: Kubernetes, Jobs, "Indexed"; sbatch(1), output environment variables.
 */
const SCHEDULERS = [
  { index: 'JOB_COMPLETION_INDEX', first: undefined, count: ['SHARD_COUNT', 'JOB_COMPLETIONS'] },
  { index: 'SLURM_ARRAY_TASK_ID', first: 'SLURM_ARRAY_TASK_MIN', count: ['SLURM_ARRAY_TASK_COUNT'] },
] as const;

/** Reads `3/8`, or for `env` what a scheduler has put into the environment. Throws `USAGE`. */
export function parseShard(text: string, env: NodeJS.ProcessEnv = process.env): Shard {
  if (text === 'env') return shardOfEnvironment(env);
  const [, index, count] = /^(\d{1,9})\/(\d{1,9})$/.exec(text.trim()) ?? [];
  if (index === undefined)
    throw new FlattenError('USAGE', `{shard: ${text}}: is not of the form INDEX/COUNT`, {
      hint: '{shard: 1/8} is the first of eight parts, {shard: 8/8} the last; {shard: env} asks the environment',
    });
  return checked({ index: Number(index), count: Number(count) }, text);
}

/** The part that a name is in, from 1 to `count`: the same on every machine, and in every version. */
export function shardOf(name: string, count: number): number {
  return (createHash('sha256').update(name).digest().readUIntBE(0, 6) % count) + 1;
}

function shardOfEnvironment(env: NodeJS.ProcessEnv): Shard {
  for (const { index, first, count } of SCHEDULERS) {
    if (!env[index]) continue;
    const named = count.find((name) => env[name]);
    if (named === undefined)
      throw new FlattenError('USAGE', `{shard: env}: ${index} is set, and ${count[0]} is not`, {
        hint: `set ${count[0]} to how many jobs there are`,
      });
    const from = first === undefined ? 0 : numberIn(env, first, '0');
    const shard = { index: numberIn(env, index) - from + 1, count: numberIn(env, named) };
    return checked(shard, `env, ${index}=${env[index]}, ${named}=${env[named]}`);
  }
  throw new FlattenError(
    'USAGE',
    `{shard: env}: neither ${SCHEDULERS.map(({ index }) => index).join(' nor ')} is set`,
    { hint: 'outside of a scheduler name the part: {shard: 1/8}' },
  );
}

function numberIn(env: NodeJS.ProcessEnv, name: string, otherwise = ''): number {
  const text = env[name] || otherwise;
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new FlattenError('USAGE', `{shard: env}: ${name}=${text}: is no whole number`);
}

function checked({ index, count }: Shard, text: string): Shard {
  if (index >= 1 && index <= count && count <= MOST) return { index, count };
  throw new FlattenError(
    'USAGE',
    `{shard: ${text}}: the parts are numbered from 1 to their count, at most ${MOST}`,
  );
}

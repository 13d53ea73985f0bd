import { readdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { FlattenError, ioError } from '../errors.js';
import type { RegistryRule } from './registry-rule.js';

/** Bytes of one file; real ones have some thousands. */
const FILE_LIMIT = 2 ** 20;

const SYSTEM = '/etc/containers';

/**
 * The rules of containers-registries.conf(5), one for each prefix. The file is what CONTAINERS_REGISTRIES_CONF names, else that of
 * the user, else that of the system; a file of the user hides the system's directory of additions. In the additions, in the order
 * of their names, a prefix takes the place of the same one before. Throws `USAGE` for a file that makes no sense, and `NOT_FOUND`
 * for one that was named and is not there.
 */
export async function registryRules(env: NodeJS.ProcessEnv = process.env): Promise<readonly RegistryRule[]> {
  const rules = new Map<string, RegistryRule>();
  for (const { file, content } of contents(env)) {
    const { parseRules } = await import('./registry-rule.js');
    const own = new Map<string, RegistryRule>();
    for (const rule of parseRules(content, file)) if (!own.has(rule.prefix)) own.set(rule.prefix, rule);
    for (const [prefix, rule] of own) rules.set(prefix, rule);
  }
  return [...rules.values()];
}

interface Content {
  readonly file: string;
  readonly content: string;
}

function contents(env: NodeJS.ProcessEnv): Content[] {
  const user = join(env.HOME || homedir(), '.config/containers');
  const named = env.CONTAINERS_REGISTRIES_CONF || undefined;
  const additions = (directory: string) => filesIn(join(directory, 'registries.conf.d'));
  if (named !== undefined) {
    const content = contentOf(named);
    if (content.length === 0)
      throw new FlattenError('NOT_FOUND', `${named}: no such file, and CONTAINERS_REGISTRIES_CONF names it`);
    return [...content, ...additions(SYSTEM), ...additions(user)];
  }
  const own = contentOf(join(user, 'registries.conf'));
  if (own.length > 0) return [...own, ...additions(user)];
  return [...contentOf(join(SYSTEM, 'registries.conf')), ...additions(SYSTEM), ...additions(user)];
}

/** Nothing where there is no such file. */
function contentOf(file: string): Content[] {
  const content = unlessMissing(file, () => readFileSync(file, 'utf8'));
  if (content === undefined) return [];
  if (content.length > FILE_LIMIT)
    throw new FlattenError('LIMIT', `${file}: has more than ${FILE_LIMIT} bytes`);
  return [{ file, content }];
}

function filesIn(directory: string): Content[] {
  const names = unlessMissing(directory, () => readdirSync(directory)) ?? [];
  return names
    .filter((name) => name.endsWith('.conf'))
    .sort()
    .flatMap((name) => contentOf(join(directory, name)));
}

function unlessMissing<T>(path: string, read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw ioError(error, `reading ${path}`);
  }
}

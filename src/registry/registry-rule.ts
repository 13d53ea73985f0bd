import { parse, TomlError } from 'smol-toml';
import { FlattenError } from '../errors.js';
import { parseRegistryReference } from '../oci/registry-reference.js';
import { shown } from '../oci/shown.js';

/** Where images may be asked for, and how. */
export interface Endpoint {
  /** What takes the place of the prefix; absent: the name stays as it is. */
  readonly location?: string;
  /** It may speak plain http, and have any certificate. */
  readonly isInsecure: boolean;
}

/** A place that is asked before the registry itself. */
interface Mirror extends Endpoint {
  /** Which images it is asked for. */
  readonly pulls: 'all' | 'digest-only' | 'tag-only';
}

/** What one `[[registry]]` says of the images whose names begin with its prefix (containers-registries.conf(5)). */
export interface RegistryRule extends Endpoint {
  readonly prefix: string;
  readonly isBlocked: boolean;
  readonly mirrors: readonly Mirror[];
  /** For messages: `FILE:LINE`. */
  readonly from: string;
}

type Table = Readonly<Record<string, unknown>>;

/** Reads the rules of a file in version 2 of the format. Throws `USAGE`, with file and line. */
export function parseRules(text: string, file: string): RegistryRule[] {
  const table = parsed(text, file);
  if (table.registries !== undefined)
    throw new FlattenError('USAGE', `${file}: is written in version 1 of its format, which is not read`, {
      hint: 'write a [[registry]] with location, insecure and blocked for each: man 5 containers-registries.conf',
    });
  const lines = headers(text);
  const { registry = [] } = table;
  if (!Array.isArray(registry))
    throw new FlattenError('USAGE', `${file}: registry is no list of tables: [[registry]]`);
  return registry.map((each, place) => {
    const line = lines.length === registry.length ? lines[place] : undefined;
    return ruleOf(each, line === undefined ? file : `${file}:${line}`);
  });
}

function parsed(text: string, file: string): Table {
  try {
    return parse(text);
  } catch (cause) {
    if (!(cause instanceof TomlError)) throw cause;
    const [what = ''] = cause.message.replace(/^Invalid TOML document: /, '').split('\n');
    throw new FlattenError('USAGE', `${file}:${cause.line}: is no TOML: ${shown(what)}`, { cause });
  }
}

/** The lines that begin a `[[registry]]`. */
function headers(text: string): number[] {
  return text
    .split('\n')
    .flatMap((line, index) => (/^\s*\[\[\s*["']?registry["']?\s*\]\]/.test(line) ? [index + 1] : []));
}

function ruleOf(value: unknown, from: string): RegistryRule {
  const table = tableOf(value, 'registry', from);
  const location = locationOf(table, from);
  const prefix = text(table, 'prefix', from)?.replace(/\/+$/, '') || location;
  if (prefix === undefined) throw wrong(from, 'a registry has neither prefix nor location');
  if (location === undefined && !prefix.startsWith('*.'))
    throw wrong(from, `the registry ${shown(prefix)} has no location`);
  if (prefix.includes('://') || prefix.slice(1).includes('*') || /^\*(?!\.)|^\*\..*[/:]/.test(prefix))
    throw wrong(from, `${shown(prefix)} is no prefix: it begins with HOST[:PORT], or is *.HOST`);
  const isByDigest = flag(table, 'mirror-by-digest-only', from);
  const { mirror = [] } = table;
  if (!Array.isArray(mirror)) throw wrong(from, 'mirror is no list of tables: [[registry.mirror]]');
  return {
    prefix,
    ...(location !== undefined && { location }),
    isInsecure: flag(table, 'insecure', from),
    isBlocked: flag(table, 'blocked', from),
    mirrors: mirror.map((each) => mirrorOf(each, isByDigest, from)),
    from,
  };
}

function mirrorOf(value: unknown, isByDigest: boolean, from: string): Mirror {
  const table = tableOf(value, 'registry.mirror', from);
  const location = locationOf(table, from);
  if (location === undefined) throw wrong(from, 'a mirror has no location');
  const pulls = text(table, 'pull-from-mirror', from) || undefined;
  if (pulls !== undefined && isByDigest)
    throw wrong(from, 'pull-from-mirror makes no sense where mirror-by-digest-only is true');
  if (pulls !== undefined && pulls !== 'all' && pulls !== 'digest-only' && pulls !== 'tag-only')
    throw wrong(from, `pull-from-mirror is ${shown(pulls)}, and not all, digest-only or tag-only`);
  return {
    location,
    isInsecure: flag(table, 'insecure', from),
    pulls: pulls ?? (isByDigest ? 'digest-only' : 'all'),
  };
}

/** `HOST[:PORT][/PATH]`; undefined where there is none. */
function locationOf(table: Table, from: string): string | undefined {
  const location = text(table, 'location', from)?.replace(/\/+$/, '') || undefined;
  if (location === undefined) return undefined;
  if (location.includes('://'))
    throw wrong(from, `the location ${shown(location)} has a scheme: it begins with HOST[:PORT]`);
  const [host = ''] = location.split('/');
  try {
    if (!/[.:]|^localhost$/.test(host)) throw new TypeError('no host');
    parseRegistryReference(location.includes('/') ? location : `${location}/any`);
  } catch (cause) {
    throw wrong(from, `${shown(location)} is no location: it is HOST[:PORT][/PATH]`, cause);
  }
  return location;
}

function tableOf(value: unknown, name: string, from: string): Table {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Table;
  throw wrong(from, `${name} is no table`);
}

function text(table: Table, key: string, from: string): string | undefined {
  const value = table[key];
  if (value === undefined || typeof value === 'string') return value;
  throw wrong(from, `${key} is no text in quotes`);
}

function flag(table: Table, key: string, from: string): boolean {
  const value = table[key];
  if (value === undefined || typeof value === 'boolean') return value ?? false;
  throw wrong(from, `${key} is neither true nor false`);
}

function wrong(from: string, what: string, cause?: unknown): FlattenError {
  return new FlattenError('USAGE', `${from}: ${what}`, { cause });
}

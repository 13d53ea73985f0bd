import type { ImageConfig } from '../../oci/config.js';

/** Something of the configs of two images that is not the same. */
export interface ConfigChange {
  /** As the config names it: `Env`, `Entrypoint`, `Labels`, `architecture`, `created`, `history`, … */
  readonly field: string;
  /** The name of a variable or label, a port, a volume, or the number of a history line, from 1; absent for a field that is one value. */
  readonly key?: string;
  /** The value as JSON has it; absent where the first image has none. */
  readonly before?: unknown;
  /** The same of the second image. */
  readonly after?: unknown;
}

/** Fields of the whole config that say nothing about the image beyond its layers, or are taken apart here. */
const APART = new Set([
  'config',
  'history',
  'rootfs',
  'container',
  'container_config',
  'docker_version',
  'id',
  'parent',
  'Size',
]);

/** Fields that are an object whose keys stand for something, each by itself. */
const KEYED = new Set(['Labels', 'ExposedPorts', 'Volumes']);

/**
 * In what two configs differ (config.md of the image specification), unknown fields included; in byte order of the fields. The layers' digests
 * are left out: what they differ in is in the trees.
 */
export function diffConfigs(before: ImageConfig, after: ImageConfig): ConfigChange[] {
  const [a, b] = [valuesOf(before), valuesOf(after)];
  const names = [...new Set([...a.keys(), ...b.keys()])].sort();
  const changes: ConfigChange[] = [];
  for (const name of names) {
    const [left, right] = [a.get(name), b.get(name)];
    if (canonical(left?.value) === canonical(right?.value)) continue;
    const { field, key } = (left ?? right)!;
    changes.push({
      field,
      ...(key !== undefined && { key }),
      ...(left && { before: left.value }),
      ...(right && { after: right.value }),
    });
  }
  return changes;
}

interface Value {
  readonly field: string;
  readonly key?: string;
  readonly value: unknown;
}

/** All values, by field and key. What engines write for nothing (`null`, `""`, `[]`, `{}`, `false`) is no value. */
function valuesOf({ json }: ImageConfig): Map<string, Value> {
  const values = new Map<string, Value>();
  const add = (field: string, value: unknown, key?: string) => {
    if (key === undefined && isNothing(value)) return;
    const name = key === undefined ? field : `${field}\0${key}`;
    values.set(name, { field, value, ...(key !== undefined && { key }) });
  };
  for (const [field, value] of Object.entries(json)) if (!APART.has(field)) add(field, value);
  for (const [field, value] of Object.entries(objectOf(json.config))) {
    if (field === 'Env') for (const [key, text] of variables(value)) add(field, text, key);
    else if (KEYED.has(field))
      for (const [key, each] of Object.entries(objectOf(value))) add(field, each, key);
    else add(field, value);
  }
  const history = Array.isArray(json.history) ? json.history : [];
  for (const [index, line] of history.entries())
    add('history', objectOf(line).created_by ?? null, String(index + 1).padStart(4));
  return new Map(
    [...values].map(([name, value]) => [name, value.field === 'history' ? trimmed(value) : value]),
  );
}

/** The number that was padded so that it sorts. */
function trimmed(value: Value): Value {
  return { ...value, key: value.key!.trim() };
}

function variables(env: unknown): Map<string, string> {
  const found = new Map<string, string>();
  for (const each of Array.isArray(env) ? env : []) {
    const text = String(each);
    const at = text.indexOf('=');
    found.set(at < 0 ? text : text.slice(0, at), at < 0 ? '' : text.slice(at + 1));
  }
  return found;
}

function objectOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {};
}

function isNothing(value: unknown): boolean {
  if (value === undefined || value === null || value === '' || value === false) return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}

/** JSON text in which the order of an object's keys does not count. */
function canonical(value: unknown): string | undefined {
  return JSON.stringify(value, (_, each: unknown) =>
    typeof each === 'object' && each !== null && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1)))
      : each,
  );
}

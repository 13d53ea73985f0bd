/**
 * The key under which an object has a field: the exact one, else the first that differs in case only, as Go's
 * encoding/json finds fields. Own properties only.
 */
export function fieldKey(object: Readonly<Record<string, unknown>>, name: string): string | undefined {
  if (Object.hasOwn(object, name)) return name;
  const folded = name.toLowerCase();
  return Object.keys(object).find((key) => key.toLowerCase() === folded);
}

/** A copy of an object with one field set, where the field stood or at the end; undefined takes it away. No spelling in another case stays. */
export function withField(
  object: Readonly<Record<string, unknown>>,
  name: string,
  value: unknown,
): Record<string, unknown> {
  const folded = name.toLowerCase();
  const set: [string, unknown][] = value === undefined ? [] : [[name, value]];
  const entries: [string, unknown][] = [];
  for (const entry of Object.entries(object)) {
    if (entry[0].toLowerCase() !== folded) entries.push(entry);
    else entries.push(...set.splice(0));
  }
  return Object.fromEntries([...entries, ...set]);
}

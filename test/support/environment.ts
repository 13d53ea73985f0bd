import type { TestContext } from 'node:test';

/** Sets variables of this process's environment until the test ends; undefined takes one away. */
export function setEnvironment(
  t: TestContext,
  variables: Readonly<Record<string, string | undefined>>,
): void {
  for (const [name, value] of Object.entries(variables)) {
    const before = process.env[name];
    const known = SET.get(t) ?? new Set();
    if (!known.has(name)) t.after(() => put(name, before));
    SET.set(t, known.add(name));
    put(name, value);
  }
}

/** What a test has set: the first value is the one that comes back. */
const SET = new WeakMap<TestContext, Set<string>>();

function put(name: string, value: string | undefined): void {
  if (value === undefined) delete process.env[name];
  else process.env[name] = value;
}

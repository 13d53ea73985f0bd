import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { PROJECT } from './project.js';

export type SchemaName = 'config' | 'image-index' | 'image-layout' | 'image-manifest';

const HOME = join(PROJECT, 'test', 'oci', 'schemas');

const ajv = new Ajv({ strict: false, allErrors: true });
ajv.addFormat('date-time', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/);
ajv.addFormat('uri', /^[a-z][a-z0-9+.-]*:/i);
for (const file of readdirSync(HOME).filter((name) => name.endsWith('.json'))) {
  ajv.addSchema(withoutIds(JSON.parse(readFileSync(join(HOME, file), 'utf8'))) as object, file);
}

/** They are of draft 4, whose `id` today's validators do not know; here a schema goes by the name of its file. */
function withoutIds(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutIds);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([key]) => key !== 'id' && key !== '$schema');
  return Object.fromEntries(entries.map(([key, inner]) => [key, withoutIds(inner)]));
}

/** Asserts that a document is as the specification has it. */
export function assertValid(name: SchemaName, document: unknown): void {
  const validate = ajv.getSchema(`${name}-schema.json`)!;
  const isValid = validate(document);
  assert.ok(isValid, `${name}: ${JSON.stringify(validate.errors)}\n${JSON.stringify(document)}`);
}

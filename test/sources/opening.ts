import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type Context, DEFAULT_LIMITS } from '../../src/context.js';
import type { Choice, ClosableImage } from '../../src/sources/image.js';
import { type OpenOptions, openOne } from '../../src/sources/open.js';
import { parseInput } from '../../src/sources/transport.js';
import { scratch } from '../support/scratch.js';
import { archive } from '../support/tar.js';

/** A context that keeps its warnings. */
export interface TestSession extends Context {
  readonly warnings: string[];
}

export function session(t: TestContext, changes: Partial<Context> = {}): TestSession {
  const warnings: string[] = [];
  return {
    signal: new AbortController().signal,
    tmp: scratch(t),
    limits: DEFAULT_LIMITS,
    digests: true,
    warnings,
    report: (event) => {
      if (event.type === 'warning') warnings.push(event.message);
    },
    ...changes,
  };
}

/** Opens an image that is closed when the test ends. */
export async function open(
  t: TestContext,
  reference: string,
  choice: Choice = {},
  context: Context = session(t),
  options: OpenOptions = {},
): Promise<ClosableImage> {
  const image = await openOne(parseInput(reference), choice, context, options);
  t.after(() => image.close());
  return image;
}

/** The paths in each layer, digests verified. */
export async function paths(image: ClosableImage, context: Context): Promise<string[][]> {
  const layers: string[][] = [];
  for (const layer of image.layers) {
    const opened = await layer.open(context);
    layers.push([...opened.entries()].map(({ entry }) => entry.path));
    await opened.verified;
    opened.close();
  }
  return layers;
}

/** Writes bytes to a new file and returns its path. */
export function put(t: TestContext, bytes: Uint8Array, name = 'image.tar'): string {
  const path = join(scratch(t), name);
  writeFileSync(path, bytes);
  return path;
}

/** A layer that adds one file. */
export function layer(path: string) {
  return { tar: archive([{ path, body: Buffer.from(path) }]) };
}

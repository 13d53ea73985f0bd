import { refuseMisfits } from './fits.js';
import type { FlattenOptions, FlattenResult } from './options.js';
import { refuseOverlap } from './overlap.js';
import { digestFile } from './sinks/digest-file.js';
import { isStream, type Output, parseOutput } from './sinks/output.js';
import { refuseUnready } from './sinks/ready.js';
import { filesBeside } from './sinks/verity-names.js';
import { parseInput } from './sources/transport.js';

/**
 * The whole story: a source opens an image, its layers become one tree, a sink writes the tree. Throws a
 * FlattenError; then the output is as it was before.
 */
export async function flatten(options: FlattenOptions): Promise<FlattenResult> {
  const start = performance.now();
  const input = parseInput(options.input);
  const output = parseOutput(options.output, options.format);
  refuseMisfits(options, output);
  const written = writtenBy(output, options);
  refuseOverlap(input, options, written);
  const { signal = new AbortController().signal, onEvent: report = () => {} } = options;
  await refuseUnready(output, options, { registries: options, signal, report });
  // Only what is not refused is worth the time that it takes to load the rest.
  const { carryOut } = await import('./carry-out.js');
  return carryOut({ ...options, input }, output, { written: written.map(({ path }) => path), start });
}

/** The paths that will be written; none for a stream or an engine. */
export function writtenBy(
  output: Output,
  { sha256, configOut = [], disk }: Pick<FlattenOptions, 'sha256' | 'configOut' | 'disk'>,
): { path: string; isDirectory: boolean }[] {
  const configs = configOut.map(({ path }) => ({ path, isDirectory: false }));
  if (output.path === undefined || isStream(output)) return configs;
  const { path, kind, format } = output;
  const isDirectory = kind === 'directory' || format === 'oci';
  const digest = sha256 ? [{ path: digestFile(path), isDirectory: false }] : [];
  const verity = filesBeside(path, disk?.verity).map((file) => ({ path: file, isDirectory: false }));
  return [{ path, isDirectory }, ...digest, ...verity, ...configs];
}

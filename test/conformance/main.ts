import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HELP, type Options, readOptions, UsageError } from './options.js';
import { json, junit, tapLine } from './reports.js';
import { runSuite } from './run-suite.js';
import { killAll } from './shell.js';
import { suiteCases } from './suite.js';

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  const print = (text: string) => process.stdout.write(text);
  if (options.action === 'help') print(HELP);
  else if (options.action === 'list')
    print(
      suiteCases(options.only)
        .map(({ name }) => `${name}\n`)
        .join(''),
    );
  else await run(options, print);
}

async function run(options: Options, print: (text: string) => void): Promise<void> {
  const cases = suiteCases(options.only);
  if (cases.length === 0)
    throw new UsageError(`--only ${options.only.join(', ')}: no case has this in its name`);
  const place = mkdtempSync(join(tmpdir(), 'layer-suite-'));
  const discard = () => rmSync(place, { recursive: true, force: true });
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => {
      killAll();
      discard();
      process.exit(130);
    });
  print(`TAP version 14\n1..${cases.length * options.forms.length}\n`);
  try {
    const results = await runSuite(cases, options.forms, options, {
      jobs: options.jobs,
      place,
      onResult: (result, index) => print(`${tapLine(result, index + 1)}\n`),
    });
    if (options.junit !== undefined) writeFileSync(options.junit, junit(results, options.run));
    if (options.json !== undefined) writeFileSync(options.json, json(results, options.run));
    const failed = results.filter(({ failure }) => failure !== undefined).length;
    print(`# ${results.length - failed} passed, ${failed} failed\n`);
    if (failed > 0) process.exitCode = 1;
  } finally {
    discard();
  }
}

main().catch((error: unknown) => {
  const isUsage = error instanceof UsageError;
  process.stderr.write(`scripts/conformance: ${isUsage ? error.message : (error as Error).stack}\n`);
  process.exitCode = isUsage ? 2 : 1;
});

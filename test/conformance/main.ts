import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Case } from '../support/case.js';
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
  else if (options.action === 'export') {
    const { exportSuite } = await import('./export.js');
    exportSuite(casesOf(options), options.directory);
  } else
    await inPlace((place, signal) =>
      options.action === 'run' ? run(options, place, print, signal) : score(options, place, print, signal),
    );
}

/** Gives a directory that is gone afterwards, also where a signal ends the run. */
async function inPlace(work: (place: string, signal: AbortSignal) => Promise<void>): Promise<void> {
  const place = mkdtempSync(join(tmpdir(), 'layer-suite-'));
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const)
    process.once(name, () => {
      stop.abort();
      killAll();
    });
  try {
    await work(place, stop.signal);
  } finally {
    rmSync(place, { recursive: true, force: true });
    if (stop.signal.aborted) process.exitCode = 130;
  }
}

type Print = (text: string) => void;

async function run(options: Options, place: string, print: Print, signal: AbortSignal): Promise<void> {
  const cases = casesOf(options);
  print(`TAP version 14\n1..${cases.length * options.forms.length}\n`);
  const results = await runSuite(cases, options.forms, options, {
    jobs: options.jobs,
    place,
    signal,
    onResult: (result, index) => print(`${tapLine(result, index + 1)}\n`),
  });
  if (signal.aborted) return;
  if (options.junit !== undefined) writeFileSync(options.junit, junit(results, options.run));
  if (options.json !== undefined) writeFileSync(options.json, json(results, options.run));
  const failed = results.filter(({ failure }) => failure !== undefined).length;
  print(`# ${results.length - failed} passed, ${failed} failed\n`);
  if (failed > 0) process.exitCode = 1;
}

async function score(options: Options, place: string, print: Print, signal: AbortSignal): Promise<void> {
  const [{ scoreAll }, { page }] = await Promise.all([
    import('./scoreboard.js'),
    import('./scoreboard-page.js'),
  ]);
  const { jobs, timeout, tools, to, only } = options;
  const cases = casesOf(options);
  const { absent } = await scoreAll(cases, tools, {
    jobs,
    place,
    timeout,
    signal,
    onScore: ({ name, version, results }, scores) => {
      const passed = results.filter(({ failure }) => failure === undefined).length;
      const seconds = results.reduce((sum, { seconds }) => sum + seconds, 0).toFixed(0);
      print(`${name} ${version}: ${passed} of ${results.length} in ${seconds} s\n`);
      writeFileSync(to, page(scores, cases, only));
    },
  });
  for (const [name, need] of absent) print(`${name}: left out, needs ${need}\n`);
}

function casesOf({ only }: Options): Case[] {
  const cases = suiteCases(only);
  if (cases.length === 0) throw new UsageError(`--only ${only.join(', ')}: no case has this in its name`);
  return cases;
}

main().catch((error: unknown) => {
  const isUsage = error instanceof UsageError;
  process.stderr.write(`scripts/conformance: ${isUsage ? error.message : (error as Error).stack}\n`);
  process.exitCode = isUsage ? 2 : 1;
});

#!/usr/bin/env node
import { EXIT } from './cli/exit.js';
import { run } from './cli/program.js';

/** The program: the only place that sets signal handlers and ends the process. */
const controller = new AbortController();
let interruption: number = EXIT.interrupted;

for (const [signal, code] of [
  ['SIGINT', EXIT.interrupted],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const) {
  process.on(signal, () => {
    if (controller.signal.aborted) process.exit(code); // asked twice: leave at once
    interruption = code;
    controller.abort(signal);
  });
}
// A reader that has seen enough (`| head`) is no error of ours; the write that fails ends the run.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') return controller.abort(error.code);
  process.stderr.write(`flatten: error: standard output: ${error.message}\n`);
  process.exit(EXIT.failed);
});

const code = await run(process.argv, controller.signal);
// What is printed may still fail; but an interrupted run waits for no reader.
if (!controller.signal.aborted) await new Promise((written) => process.stdout.write('', written));
process.exit(code === EXIT.interrupted ? interruption : code);

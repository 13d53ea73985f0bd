import { EXIT } from './exit.js';
import { run } from './program.js';
import { reportBug, reportStandardOutput } from './report.js';
import { onEndingSignal } from './signals.js';
import { flushed, guardStreams } from './streams.js';

/** The program: the only place that sets signal handlers and ends the process. */
const controller = new AbortController();
let interruption: number | undefined;
let lost: NodeJS.ErrnoException | undefined;

onEndingSignal((signal, code) => {
  if (controller.signal.aborted) process.exit(code); // asked twice: leave at once
  interruption = code;
  controller.abort(signal);
});
// A write that fails ends the run: nobody gets what it makes.
guardStreams((error) => {
  lost = error;
  controller.abort(error);
});
// There is no way back from here; what is half-made goes when the process does.
for (const event of ['uncaughtException', 'unhandledRejection'] as const)
  process.on(event, (error) => process.exit(reportBug(error)));

const code = await run(process.argv, controller.signal);
// What is printed may still fail; but an interrupted run waits for no reader.
if (!controller.signal.aborted) await flushed(process.stdout);
if (lost) reportStandardOutput(lost);
process.exit(lost ? EXIT.failed : code === EXIT.done ? code : (interruption ?? code));

import { constants } from 'node:os';

/**
 * The signals that end a program unless it catches them, and that it can catch. Not among them: SIGPIPE and SIGXFSZ,
 * which Node ignores, so that the write which fails says more; SIGUSR1, which is Node's own; SIGPROF, which Node's profiler
 * (`node --cpu-prof`) sends itself; and those of a program that has gone wrong, as SIGSEGV, from which there is no way back.
 */
const ENDING = [
  'SIGHUP',
  'SIGINT',
  'SIGQUIT',
  'SIGTRAP',
  'SIGABRT',
  'SIGUSR2',
  'SIGALRM',
  'SIGTERM',
  'SIGSTKFLT',
  'SIGXCPU',
  'SIGVTALRM',
  'SIGIO',
  'SIGPWR',
  'SIGSYS',
] as const;

/** What a shell makes of a signal's number: the exit code of a program that the signal has ended. */
const SIGNALLED = 128;

/** Calls `end` with the exit code for each signal that asks the program to end. */
export function onEndingSignal(end: (signal: NodeJS.Signals, code: number) => void): void {
  // execa listens to SIGXFSZ while a child runs, and Node gives it back its default after the last listener: the end.
  process.on('SIGXFSZ', () => {});
  for (const signal of ENDING) {
    const number: number | undefined = constants.signals[signal];
    if (number !== undefined) process.on(signal, () => end(signal, SIGNALLED + number)); // not every system has all
  }
}

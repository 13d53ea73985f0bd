import { type CommandLine, parseCommand } from './command.js';

/** Nanoseconds of Go's units of time. */
const UNITS: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  μs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};

const TIMES: Readonly<Record<string, string>> = {
  interval: 'Interval',
  timeout: 'Timeout',
  'start-period': 'StartPeriod',
  'start-interval': 'StartInterval',
};

/** A config's `Healthcheck`: `Test` and, where they are given, times in nanoseconds and `Retries`. */
export type Healthcheck = Readonly<Record<string, number | readonly string[]>>;

/** Reads `[--interval=30s …] CMD command` or `NONE`. Throws an Error that says what is wrong. */
export function parseHealthcheck(text: string): Healthcheck {
  const [, flags = '', kind = '', rest = ''] = /^((?:--\S+\s+)*)(\S*)\s*(.*)$/s.exec(text)!;
  const options = Object.assign({}, ...flags.split(/\s+/).filter(Boolean).map(parseFlag));
  if (/^none$/i.test(kind)) {
    if (rest !== '' || flags !== '') throw new Error('NONE takes no arguments');
    return { Test: ['NONE'] };
  }
  if (!/^cmd$/i.test(kind)) throw new Error(`${kind || 'nothing'} is neither CMD nor NONE`);
  if (rest === '') throw new Error('CMD without a command');
  return { Test: testOf(parseCommand(rest)), ...options };
}

function testOf({ words, isShell }: CommandLine): string[] {
  if (words.length === 0) throw new Error('CMD without a command');
  return [isShell ? 'CMD-SHELL' : 'CMD', ...words];
}

function parseFlag(flag: string): Record<string, number> {
  const [, name = '', value] = /^--([a-z-]+)(?:=(.*))?$/.exec(flag) ?? [];
  const field = Object.hasOwn(TIMES, name) ? TIMES[name] : undefined;
  if (field === undefined && name !== 'retries') throw new Error(`${flag} is not an option of it`);
  if (!value) throw new Error(`${flag} needs a value: --${name}=…`);
  if (field !== undefined) {
    const time = parseDuration(value);
    return time === 0 ? {} : { [field]: time };
  }
  if (!/^\d{1,9}$/.test(value)) throw new Error(`--retries=${value} is not a whole number from 0 on`);
  return value === '0' ? {} : { Retries: Number(value) };
}

/** Go's time.ParseDuration, of what Docker takes: nothing below a millisecond but 0. */
function parseDuration(text: string): number {
  const isWhole = text === '0' || /^(\d+(\.\d*)?(ns|us|µs|μs|ms|s|m|h))+$/.test(text);
  if (!isWhole) throw new Error(`${text} is not a time, as 30s or 1m30s`);
  let total = 0;
  for (const [, number, unit] of text.matchAll(/(\d+(?:\.\d*)?)(ns|us|µs|μs|ms|s|m|h)/g))
    total += Math.round(Number(number) * UNITS[unit!]!);
  if (total !== 0 && total < 1e6) throw new Error(`${text} is less than 1ms`);
  if (!Number.isSafeInteger(total)) throw new Error(`${text} is too long`);
  return total;
}

/** Linux signals by name, which Docker knows on every machine (moby/sys/signal), with the numbers of x86 and ARM. */
const NUMBERS: Readonly<Record<string, number>> = {
  ...{
    HUP: 1,
    INT: 2,
    QUIT: 3,
    ILL: 4,
    TRAP: 5,
    ABRT: 6,
    IOT: 6,
    BUS: 7,
    FPE: 8,
    KILL: 9,
    USR1: 10,
    SEGV: 11,
  },
  ...{ USR2: 12, PIPE: 13, ALRM: 14, TERM: 15, STKFLT: 16, CHLD: 17, CLD: 17, CONT: 18, STOP: 19, TSTP: 20 },
  ...{ TTIN: 21, TTOU: 22, URG: 23, XCPU: 24, XFSZ: 25, VTALRM: 26, PROF: 27, WINCH: 28, IO: 29, POLL: 29 },
  ...{ PWR: 30, SYS: 31, RTMIN: 34, RTMAX: 64 },
};

/** The number of a STOPSIGNAL: a number from 1 to 64, or a name with or without SIG; undefined for anything else. */
export function signalNumber(text: string): number | undefined {
  if (/^\d+$/.test(text)) return Number(text) >= 1 && Number(text) <= 64 ? Number(text) : undefined;
  const name = text.toUpperCase().replace(/^SIG/, '');
  const [, from, distance] = /^(RTMIN(?=\+)|RTMAX(?=-))([+-](?:[1-9]|1[0-5]))$/.exec(name) ?? [];
  if (from === undefined) return Object.hasOwn(NUMBERS, name) ? NUMBERS[name] : undefined;
  return distance === '-15' ? undefined : NUMBERS[from]! + Number(distance);
}

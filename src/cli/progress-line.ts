import type { Phase } from '../context.js';
import { showSize } from './numbers.js';

/** How far a phase is, and how fast it goes. */
export interface Standing {
  readonly phase: Phase;
  /** Bytes. */
  readonly done: number;
  readonly total?: number | undefined;
  readonly layer?: number | undefined;
  readonly layers?: number | undefined;
  /** Bytes a second; undefined until it is known well enough. */
  readonly rate?: number | undefined;
}

const WORDS: Readonly<Record<Phase, string>> = {
  open: 'opening',
  load: 'reading',
  plan: 'planning',
  write: 'writing',
  verity: 'hashing',
  compress: 'compressing',
  check: 'reading back',
  digest: 'digesting',
  send: 'sending',
};

/** A bar shorter than this says less than the percentage beside it. */
const LEAST_BAR = 8;
const LONGEST_BAR = 40;

/** One line for a terminal of so many columns: never longer, and shorter by what matters least. */
export function progressLine(standing: Standing, columns: number): string {
  const { phase, done, total, layer, layers, rate } = standing;
  const word = WORDS[phase];
  const label = layer === undefined ? word : `${word} layer ${layer} of ${layers}`;
  // The last column stays free: some terminals go on to the next line once it is taken.
  const room = Math.max(columns - 1, 1);
  const speed = rate === undefined ? [] : [`${showSize(rate)}/s`];
  if (total === undefined)
    return fitting([[label, showSize(done), ...speed], [label, showSize(done)], [word]], room);
  const part = total === 0 ? 1 : done / total;
  const percent = `${Math.floor(part * 100)}%`.padStart(4);
  const bytes = `${showSize(done)} of ${showSize(total)}`;
  const left = rate ? [`${showDuration((total - done) / rate)} left`] : [];
  const line = fitting(
    [
      [label, percent, bytes, ...speed, ...left],
      [label, percent, bytes, ...left],
      [label, percent, ...left],
      [label, percent],
      [word, percent],
      [percent.trim()],
    ],
    room,
  );
  return withBar(line, { label, part, room });
}

/** The first of the lines that has room; of the last as much as there is room for. */
function fitting(lines: readonly (readonly string[])[], room: number): string {
  const joined = lines.map((parts) => parts.join('  '));
  return joined.find((line) => line.length <= room) ?? joined.at(-1)!.slice(0, room);
}

/** Puts a bar behind the label, where there is room for one. */
function withBar(line: string, { label, part, room }: { label: string; part: number; room: number }): string {
  const length = Math.min(room - line.length - 4, LONGEST_BAR); // two blanks and two brackets
  if (length < LEAST_BAR || !line.startsWith(label)) return line;
  const full = Math.floor(part * length);
  return `${label}  [${'#'.repeat(full)}${'.'.repeat(length - full)}]${line.slice(label.length)}`;
}

/** Seconds as `0:07`, `12:34` or `1:02:03`. */
export function showDuration(seconds: number): string {
  const whole = Math.ceil(seconds);
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  const two = (count: number) => String(count).padStart(2, '0');
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

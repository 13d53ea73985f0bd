/** The characters of a bar: what shows, and what is wasted. */
export interface BarStyle {
  readonly shown: string;
  readonly wasted: string;
}

/** Blocks where the locale has UTF-8, else plain ASCII. Source: setlocale(3), the order of the variables. */
export function barStyle({ LC_ALL, LC_CTYPE, LANG }: NodeJS.ProcessEnv): BarStyle {
  const locale = LC_ALL || LC_CTYPE || LANG || '';
  return /utf-?8/i.test(locale) ? { shown: '█', wasted: '░' } : { shown: '#', wasted: '.' };
}

/** A bar of `width` characters for `whole`; what is more than nothing has at least one. */
export function barOf(
  { shown, wasted, whole, width }: { shown: number; wasted: number; whole: number; width: number },
  style: BarStyle,
): string {
  const cells = (part: number) => (part === 0 ? 0 : Math.max(1, Math.round((part / whole) * width)));
  const dark = cells(wasted);
  const light = Math.min(cells(shown), Math.max(shown === 0 ? 0 : 1, width - dark));
  return style.shown.repeat(light) + style.wasted.repeat(Math.min(dark, width - light));
}

/** The latest time that JavaScript's dates have, in milliseconds before and after 1970. */
const MAX_DATE = 8_640_000_000_000_000n;

/** A time (nanoseconds since 1970) as a date, ISO 8601 in UTC: `2021-03-04T05:06:07.5Z`; far from our days as `@` and seconds. */
export function showDate(time: bigint): string {
  const [seconds, nanoseconds] = split(time);
  const fraction = nanoseconds === 0n ? '' : `.${String(nanoseconds).padStart(9, '0').replace(/0+$/, '')}`;
  const milliseconds = seconds * 1000n;
  if (milliseconds > MAX_DATE || milliseconds < -MAX_DATE) return `@${seconds}${fraction}`;
  return new Date(Number(milliseconds)).toISOString().replace('.000Z', `${fraction}Z`);
}

/** Whole seconds, rounded down, and what is left. */
function split(time: bigint): [bigint, bigint] {
  const nanoseconds = ((time % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
  return [(time - nanoseconds) / 1_000_000_000n, nanoseconds];
}

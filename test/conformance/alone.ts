let last: Promise<unknown> = Promise.resolve();

/** Does work of this kind one piece at a time. */
export function alone<T>(work: () => Promise<T>): Promise<T> {
  const run = last.then(work, work);
  last = run.catch(() => {});
  return run;
}

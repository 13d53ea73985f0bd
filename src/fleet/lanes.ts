/**
 * Does something with each of some things, so many at a time, in their order. When one throws, no more are begun; what it threw is thrown once
 * all that were begun have ended.
 */
export async function inLanes<T>(
  things: readonly T[],
  count: number,
  act: (thing: T, index: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  let isOver = false;
  const lane = async () => {
    try {
      while (next < things.length && !isOver) {
        const index = next++;
        await act(things[index]!, index);
      }
    } catch (error) {
      isOver = true;
      throw error;
    }
  };
  const lanes = Array.from({ length: Math.min(count, things.length) }, lane);
  const ends = await Promise.allSettled(lanes);
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
}

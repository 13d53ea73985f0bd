/** For hooks, whose own `after` comes too early: what is given to it is done when the suite whose `after` this is ends, the last first. */
export function atEnd(after: (done: () => void) => void): { after(done: () => void): void } {
  const all: (() => void)[] = [];
  after(() => {
    for (const done of all.reverse()) done();
  });
  return { after: (done) => void all.push(done) };
}

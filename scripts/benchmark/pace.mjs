// node pace.mjs PORT RATE: a way to a server of this machine on which no connection gets more than RATE bytes a second. Prints its own port.
import { connect, createServer } from 'node:net';

const [port, rate] = process.argv.slice(2).map(Number);
/** Bytes that may come at once. */
const BURST = 2 ** 20;

/** Passes on what comes, as a bucket has it that is filled at the rate. */
function pace(from, to) {
  let [over, last] = [0, performance.now()];
  from.on('data', (chunk) => {
    const now = performance.now();
    over = Math.max(0, over - ((now - last) / 1000) * rate) + chunk.length;
    last = now;
    const isTaken = to.write(chunk);
    const wait = ((over - BURST) / rate) * 1000;
    if (isTaken && wait <= 0) return;
    from.pause();
    const taken = isTaken ? undefined : new Promise((resolve) => to.once('drain', resolve));
    setTimeout(async () => {
      await taken;
      from.resume();
    }, wait);
  });
  from.on('end', () => to.end());
}

const server = createServer((near) => {
  const far = connect(port, '127.0.0.1');
  near.pipe(far);
  pace(far, near);
  for (const [one, other] of [
    [near, far],
    [far, near],
  ])
    one.on('error', () => {}).on('close', () => other.destroy());
});
server.listen(0, '127.0.0.1', () => process.stdout.write(`${server.address().port}\n`));
process.stdin.on('end', () => process.exit()).resume(); // with whoever started it

/** A rectangle, in pixels. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

/** Rows are chosen so that rectangles come near this ratio of their sides. */
const GOLDEN = (1 + Math.sqrt(5)) / 2;

/**
 * Fills a box with one rectangle for each value, of an area in proportion. The values are above zero, the largest first. Squarified treemaps, Bruls,
 * Huizing and van Wijk, 2000, with the choices of d3-hierarchy's `treemapSquarify`, which the test compares with.
 */
export function squarify(values: readonly number[], box: Box): Box[] {
  const boxes: Box[] = [];
  let { x, y, w, h } = box;
  let rest = values.reduce((sum, value) => sum + value, 0);
  for (let start = 0; start < values.length; ) {
    const scale = Math.max(h / w, w / h) / (rest * GOLDEN);
    const first = values[start]!;
    let sum = first;
    let worst = ratio(first, first, sum, scale);
    let end = start + 1;
    for (; end < values.length; end++) {
      const next = ratio(first, values[end]!, sum + values[end]!, scale);
      if (next > worst) break;
      worst = next;
      sum += values[end]!;
    }
    const share = sum / rest;
    let done = 0;
    for (const value of values.slice(start, end)) {
      const part = value / sum;
      if (w < h) boxes.push({ x: x + w * done, y, w: w * part, h: h * share });
      else boxes.push({ x, y: y + h * done, w: w * share, h: h * part });
      done += part;
    }
    if (w < h) {
      y += h * share;
      h -= h * share;
    } else {
      x += w * share;
      w -= w * share;
    }
    rest -= sum;
    start = end;
  }
  return boxes;
}

/** The worst ratio of the sides in a row of this sum. */
function ratio(largest: number, smallest: number, sum: number, scale: number): number {
  const beta = sum * sum * scale;
  return Math.max(largest / beta, beta / smallest);
}

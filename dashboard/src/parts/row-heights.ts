/** How high the rows of a long table are, and which of them are in sight, without asking the browser. Pure. */

/** A row of one line, and each further line. */
export const linePx = { first: 38, more: 22 };
/** Of a cell, left and right. */
const besidePx = 24;
/** A character as it is wide in most texts, and somewhat more: a row that is too high shows all of its text. */
const characterPx = 8;

/** @param cells of each its texts, which stand below each other, and how wide its column is. */
export function rowPx(cells: readonly (readonly [texts: readonly string[], columnPx: number])[]): number {
  const lines = cells.map(([texts, columnPx]) => {
    const perLine = Math.max(1, (columnPx - besidePx) / characterPx);
    return texts.reduce((sum, { length }) => sum + Math.max(1, Math.ceil(length / perLine)), 0);
  });
  return linePx.first + (Math.max(1, ...lines) - 1) * linePx.more;
}

/** Where each row begins, and behind them where the last one ends. */
export function rowEdges(heights: readonly number[]): number[] {
  const edges = [0];
  for (const each of heights) edges.push(edges.at(-1)! + each);
  return edges;
}

/** The row in which `px` lies; the last one when all end before. */
export function rowAt(edges: readonly number[], px: number): number {
  let low = 0;
  let high = Math.max(0, edges.length - 2);
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (edges[middle]! <= px) low = middle;
    else high = middle - 1;
  }
  return low;
}

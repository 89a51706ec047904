/**
 * Work that is due for several charts at once, done one after the other with a breath between them: together they would take
 * longer than a frame may.
 */
const waiting = new Set<() => void>();
let timer: ReturnType<typeof setTimeout> | undefined;

/** @returns what takes the work back, if it was not done yet. */
export function oneByOne(work: () => void): () => void {
  waiting.add(work);
  if (timer === undefined) timer = setTimeout(next, 0);
  return () => waiting.delete(work);
}

function next(): void {
  timer = undefined;
  const [work] = waiting;
  if (work === undefined) return;
  waiting.delete(work);
  timer = setTimeout(next, 0);
  work();
}

/** What takes a moment, and `down`, are not given up; everything else ends in order when it is. By the kind of a job. */
const notGivenUp: ReadonlySet<string> = new Set(['pause', 'resume', 'mirror', 'down']);

export function mayBeGivenUp(kind: string): boolean {
  return !notGivenUp.has(kind);
}

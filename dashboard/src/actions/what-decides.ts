/** What of a view decides what an operation would do, and whether it may be done: when it changes, a plan is old. Pure. */
import type { ApiView } from '../../../src/api/view.ts';

/** The same text as long as a plan holds. */
export function whatDecides(view: ApiView): string {
  const { host, state, primary, paused, operation, members, sentinels, gates } = view;
  return JSON.stringify([
    [host, state, primary, paused, operation?.text],
    members.map(({ id, role, state: each, linkUp, eligible, refusalCode, keys }) => [
      ...[id, role, each, linkUp, eligible, refusalCode],
      // How many there are changes all the time; a restore asks only whether there are any.
      (keys ?? 0) > 0,
    ]),
    [...sentinels, ...gates].map(({ id }) => id),
  ]);
}

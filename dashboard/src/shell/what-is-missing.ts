/** What the address of the page names and nothing is: said, for something else is shown in its place. Pure. */
import type { ApiView } from '../../../src/api/view.ts';
import { shown } from '../../../src/base/shown.ts';
import type { Route } from '../data/route.ts';
import { namesNoSection } from '../time/section.ts';

const longestName = 100;

/** @returns a sentence; null when all that it names is there. */
export function whatIsMissing(
  { page, noPage, id, query }: Route,
  view: Pick<ApiView, 'members' | 'sentinels' | 'gates'>,
): string | null {
  if (noPage !== null) return `There is no page ${name(noPage)}. This is the overview.`;
  if (page === 'time' && namesNoSection(query))
    return 'It names no time that can be shown: from and to are dates, 2 s to 7 days apart. These are the last 15 minutes.';
  if (id === null) return null;
  const isThere = (all: readonly { id: string }[]) => all.some((each) => each.id === id);
  switch (page) {
    case 'members':
      return isThere(view.members) ? null : `There is no member ${name(id)}.`;
    case 'sentinels':
      return isThere(view.sentinels) ? null : `There is no Sentinel ${name(id)}.`;
    case 'gates':
      return isThere(view.gates) ? null : `There is no gate ${name(id)}.`;
    default:
      return `Nothing on this page is called ${name(id)}.`;
  }
}

/** Whoever made the link chose it. */
function name(text: string): string {
  return `‘${shown(text.slice(0, longestName))}’`;
}

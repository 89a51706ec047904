import { useEffect, useRef } from 'react';
import { usePage } from '../data/page-state.ts';
import { type PageName, pageNames } from '../data/route.ts';

const titles: Readonly<Record<PageName, string>> = {
  overview: 'Overview',
  time: 'Time',
  events: 'Events',
  members: 'Members',
  sentinels: 'Sentinels',
  gates: 'Gates',
  doctor: 'Doctor',
  backups: 'Backups',
  drills: 'Drills',
  moves: 'Migrations and mirrors',
  spec: 'Spec',
};

export function Tabs({ page }: { page: PageName }) {
  const view = usePage((state) => state.view);
  const marks = new Map<PageName, readonly [number, string]>([
    ['members', [view?.members.filter(({ state }) => state !== 'up').length ?? 0, 'not up']],
    ['sentinels', [view?.sentinels.filter(({ state }) => state !== 'up').length ?? 0, 'not up']],
    ['gates', [view?.gates.filter(({ state }) => state !== 'open').length ?? 0, 'not open']],
    ['spec', [view?.drift.length ?? 0, 'differ']],
    ['moves', [view?.moves.unwell ?? 0, 'not well']],
  ]);
  // Where there are any, and wherever somebody looks for them.
  const moves = (view?.moves.mirrors ?? 0) + (view?.moves.migrations ?? 0);
  const sentinels = view?.sentinels.length ?? 1;
  const isEmpty = (name: PageName) =>
    (name === 'moves' && moves === 0) || (name === 'sentinels' && sentinels === 0);
  const isThere = (name: PageName) => name === page || !isEmpty(name);
  const row = useRef<HTMLElement>(null);
  const isKnown = view !== null;
  // biome-ignore lint/correctness/useExhaustiveDependencies: another page, and marks and tabs that come with the view.
  useEffect(() => showCurrent(row.current), [page, isKnown, moves > 0, sentinels > 0]);
  return (
    <nav className="tabs" aria-label="Pages" ref={row}>
      <ul>
        {pageNames.filter(isThere).map((name) => (
          <li key={name}>
            <a href={`#/${name}`} aria-current={name === page ? 'page' : undefined}>
              {titles[name]}
              <Mark mark={marks.get(name)} />
            </a>
          </li>
        ))}
      </ul>
    </nav>
  );
}

/** On a phone there is no room for all: that of the page comes into sight, and the window stays where it is. */
function showCurrent(row: HTMLElement | null): void {
  const current = row?.querySelector('[aria-current]');
  if (!row || !current) return;
  const [all, one] = [row.getBoundingClientRect(), current.getBoundingClientRect()];
  if (one.left < all.left || one.right > all.right)
    row.scrollLeft += one.left - all.left - (all.width - one.width) / 2;
}

/** How many on that page are not as they should be. */
function Mark({ mark: [many, what] = [0, ''] }: { mark: readonly [number, string] | undefined }) {
  if (many === 0) return null;
  return (
    <span className="number">
      {many}
      <span className="unseen"> {what}</span>
    </span>
  );
}

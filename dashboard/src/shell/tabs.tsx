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
  const isThere = (name: PageName) => name !== 'moves' || moves > 0 || page === 'moves';
  return (
    <nav className="tabs" aria-label="Pages">
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

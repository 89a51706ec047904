import { usePage } from '../data/page-state.ts';

/** Says to screen readers what changed that matters, and not every figure. It also is the title of the tab. */
export function News() {
  const text = usePage(({ view, connection }) => {
    if (connection.state === 'lost') return 'The agent does not answer.';
    if (connection.state === 'unauthorised') return 'A token is wanted.';
    if (view === null) return '';
    const primary = view.primary === null ? 'there is no primary' : `${view.primary} is primary`;
    return `${view.name} is ${view.state}, ${primary}.`;
  });
  const title = usePage(({ view, connection }) => {
    if (view === null) return 'holdfast';
    // Of one that is not live nothing is known, and least of all that it is healthy.
    return `${connection.state === 'live' ? signs[view.state] : '?'} ${view.name}`;
  });
  return (
    <>
      <title>{title}</title>
      <div className="unseen" role="status" aria-live="polite">
        {text}
      </div>
    </>
  );
}

const signs = { healthy: '✓', degraded: '!', down: '✕' } as const;

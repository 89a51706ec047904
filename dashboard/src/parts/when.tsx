import type { ReactNode } from 'react';
import { localTime, localTimeMs, utc } from '../data/format.ts';

/** An instant in the viewer's zone; pointing at it shows it in UTC. @param at ISO 8601, or Unix ms. */
export function When({ at, ms = false }: { at: string | number; ms?: boolean }) {
  const atMs = typeof at === 'number' ? at : Date.parse(at);
  if (Number.isNaN(atMs)) return <>{String(at)}</>;
  const text = ms ? localTimeMs(atMs, Date.now()) : localTime(atMs, Date.now());
  return (
    <time dateTime={new Date(atMs).toISOString()} title={utc(atMs)}>
      {text}
    </time>
  );
}

/** The same where there may be none. */
export function whenOr(at: string | null | undefined): ReactNode {
  return at === null || at === undefined ? '–' : <When at={at} />;
}

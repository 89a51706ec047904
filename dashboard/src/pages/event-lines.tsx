import type { ApiEvent } from '../../../src/api/events.ts';
import { usePage } from '../data/page-state.ts';
import { eventKey } from '../data/state.ts';
import { Sign } from '../parts/sign.tsx';
import { toneOfEvent } from '../parts/tones.ts';
import { When } from '../parts/when.tsx';

/** A few events, each in full. */
export function EventLines({ events }: { events: readonly ApiEvent[] }) {
  return (
    <ol className="event-lines">
      {events.map((event) => (
        <li key={eventKey(event)}>
          <When at={event.at} ms />
          <Kind kind={event.kind} />
          <span className="text">
            {event.text} <NotedBy host={event.host} />
          </span>
        </li>
      ))}
    </ol>
  );
}

/** What kind of event it is: those to look at have a sign. */
export function Kind({ kind }: { kind: string }) {
  const tone = toneOfEvent(kind);
  return (
    <span className={`kind ${tone}`}>
      {tone !== 'off' && <Sign tone={tone} />}
      {kind}
    </span>
  );
}

/** Which agent noted it, where there are several. */
export function NotedBy({ host }: { host: string }) {
  const isFleet = usePage(({ view }) => (view?.hosts.length ?? 0) > 1);
  return isFleet ? <span className="note">({host})</span> : null;
}

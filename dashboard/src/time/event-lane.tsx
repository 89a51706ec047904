import { useMemo, useState } from 'react';
import type { ApiEvent } from '../../../src/api/events.ts';
import { localTime, plural } from '../data/format.ts';
import { eventKey } from '../data/state.ts';
import { EventLines } from '../pages/event-lines.tsx';
import { marksOf } from './moments.ts';
import { axisPx, type Range } from './time-chart.tsx';

/** The events under the charts, on the same axis. A mark opens into its events. */
export function EventLane({ events, range }: { events: readonly ApiEvent[]; range: Range }) {
  const [open, setOpen] = useState<string | null>(null);
  const { fromMs, toMs } = range;
  const span = toMs - fromMs;
  const marks = useMemo(() => marksOf(events, fromMs, toMs, span / 50), [events, fromMs, toMs, span]);
  const chosen = marks.find(({ events: each }) => each.some((event) => eventKey(event) === open));
  return (
    <div className="lane-frame">
      <h3>Events</h3>
      <div className="lane" style={{ marginLeft: axisPx }}>
        {marks.map((mark) => {
          const { atMs, events: each, bad } = mark;
          const first = each[0];
          const key = first ? eventKey(first) : '';
          return (
            <button
              key={key}
              type="button"
              className={`lane-mark ${bad ? 'bad' : ''}`}
              style={{ left: `${((atMs - fromMs) / span) * 100}%` }}
              aria-pressed={mark === chosen}
              aria-label={`${localTime(atMs, Date.now())}: ${plural(each.length, 'event')}, ${first?.kind}`}
              onClick={() => setOpen(mark === chosen ? null : key)}
            >
              {bad ? '✕' : '•'}
            </button>
          );
        })}
      </div>
      {marks.length === 0 && <p className="note">No events in this time.</p>}
      {chosen && <EventLines events={chosen.events.slice(0, 40)} />}
    </div>
  );
}

import { useEffect, useMemo, useState } from 'react';
import type { ApiView } from '../../../src/api/view.ts';
import { ActionButton } from '../actions/open-action.tsx';
import { bytes, count, duration } from '../data/format.ts';
import { agentNowMs, usePage } from '../data/page-state.ts';
import { type Story, storiesOf } from '../data/stories.ts';
import { useHistory } from '../data/use-history.ts';
import { Card, Empty, Waiting } from '../parts/card.tsx';
import { Picture } from '../picture/picture.tsx';
import { clientCharts, cutSamples } from '../time/charts.ts';
import { StoryCard } from '../time/story-card.tsx';
import { TimeCharts } from '../time/time-charts.tsx';
import { EventLines } from './event-lines.tsx';

const backMs = 5 * 60_000;
/** For so long the picture shows what has just been. */
const playMs = 4000;

export function OverviewPage() {
  const view = usePage((state) => state.view);
  const events = usePage((state) => state.events);
  const stories = useMemo(() => storiesOf(events), [events]);
  const playing = usePlaying(stories[0] ?? null);
  if (!view) return null;
  return (
    <>
      <Tiles view={view} />
      <Card title="The picture" end={<Buttons view={view} />}>
        <Picture view={view} story={playing} />
        <p className="legend">
          <span>
            Solid: commands. Dashed: replication.
            {view.sentinels.length > 0 && ' Dotted: whom a Sentinel names.'}
          </span>
          <span>The frame is around the primary.</span>
        </p>
      </Card>
      {stories[0] && <StoryCard story={stories[0]} title="The last change of primary" />}
      <LastMinutes />
      <Card title="What happened last" end={<a href="#/events">All events</a>}>
        {events.length === 0 ? (
          <Empty title="Nothing yet" />
        ) : (
          <EventLines events={events.slice(-8).reverse()} />
        )}
      </Card>
    </>
  );
}

/** The story, if it happened while the page was open and just now; it is played once. */
function usePlaying(story: Story | null): Story | null {
  const [key, setKey] = useState<string | null>(null);
  const atMs = story?.atMs ?? 0;
  const newKey = story?.key ?? null;
  useEffect(() => {
    if (newKey === null || agentNowMs() - atMs > playMs) return;
    setKey(newKey);
    const timer = setTimeout(() => setKey(null), playMs);
    return () => clearTimeout(timer);
  }, [newKey, atMs]);
  return newKey === key ? story : null;
}

function Tiles({ view }: { view: ApiView }) {
  const { clients, members, primary } = view;
  const p = clients.latency;
  const p50 = Math.max(p.read?.p50Ms ?? 0, p.write?.p50Ms ?? 0);
  const p99 = Math.max(p.read?.p99Ms ?? 0, p.write?.p99Ms ?? 0);
  const quiet = p.read === null && p.write === null;
  const lags = members.flatMap(({ role, lagBytes }) =>
    role === 'replica' && lagBytes !== null ? [lagBytes] : [],
  );
  const memory = members.find(({ id }) => id === primary)?.memory ?? null;
  const tiles: readonly (readonly [name: string, value: string, unit: string])[] = [
    ['Commands', count(clients.commandsPerSecond), '/s'],
    ['Latency p50', quiet ? '–' : duration(p50), ''],
    ['Latency p99', quiet ? '–' : duration(p99), ''],
    ['Clients', count(clients.connected), ''],
    ['Held', count(clients.held), ''],
    ['Errors', count(clients.errorsPerSecond), '/s'],
    ['Largest lag', lags.length === 0 ? '–' : bytes(Math.max(...lags)), ''],
    ['Memory', bytes(memory?.usedBytes), ''],
  ];
  return (
    <dl className="tiles" aria-label="Figures of now">
      {tiles.map(([name, value, unit]) => (
        <div key={name} className="tile">
          <dt>{name}</dt>
          <dd>
            {value}
            <span className="unit">{unit}</span>
          </dd>
        </div>
      ))}
    </dl>
  );
}

function Buttons({ view }: { view: ApiView }) {
  return (
    <div className="row">
      <ActionButton operation={{ kind: 'switchover' }} label="Switch over…" small />
      <ActionButton operation={{ kind: 'failover' }} label="Failover…" small />
      <ActionButton operation={{ kind: 'restart' }} label="Restart…" small />
      <ActionButton
        operation={{ kind: view.paused ? 'resume' : 'pause' }}
        label={view.paused ? 'Resume…' : 'Pause…'}
        small
      />
      <ActionButton operation={{ kind: 'backup' }} label="Back up…" small />
    </div>
  );
}

function LastMinutes() {
  const { history } = useHistory('1s', backMs);
  const events = usePage((state) => state.events);
  const toMs = history?.at.at(-1) ?? 0;
  const shown = useMemo(() => (history ? cutSamples(history, toMs - backMs, toMs) : null), [history, toMs]);
  const charts = useMemo(() => (shown ? clientCharts(shown) : []), [shown]);
  const range = { fromMs: toMs - backMs, toMs };
  return (
    <Card title="The last five minutes" end={<a href="#/time">Further back</a>}>
      {shown === null ? (
        <Waiting what="The history is asked for." />
      ) : shown.at.length === 0 ? (
        <Empty title="No samples yet" />
      ) : (
        <TimeCharts charts={charts} samples={shown} range={range} events={events} />
      )}
    </Card>
  );
}

import { memo, useMemo } from 'react';
import { localTime } from '../data/format.ts';
import { agentNowMs, usePage } from '../data/page-state.ts';
import { go, useRoute } from '../data/route.ts';
import type { Samples } from '../data/samples.ts';
import { storiesOf } from '../data/stories.ts';
import { useHistory } from '../data/use-history.ts';
import { Alert, Card, Empty, Waiting } from '../parts/card.tsx';
import { When } from '../parts/when.tsx';
import { clientCharts, cutSamples, memberCharts } from '../time/charts.ts';
import { EventLane } from '../time/event-lane.tsx';
import {
  addressOf,
  addressOfRange,
  askedFor,
  earlier,
  later,
  parseSection,
  type Section,
} from '../time/section.ts';
import { StoryLine } from '../time/story-card.tsx';
import type { Range } from '../time/time-chart.tsx';
import { TimeCharts } from '../time/time-charts.tsx';

const minuteMs = 60_000;
const spans: readonly { label: string; ms: number }[] = [
  { label: '5 min', ms: 5 * minuteMs },
  { label: '15 min', ms: 15 * minuteMs },
  { label: '1 h', ms: 60 * minuteMs },
  { label: '24 h', ms: 24 * 60 * minuteMs },
  { label: '7 d', ms: 7 * 24 * 60 * minuteMs },
];

export function TimePage() {
  const { query } = useRoute();
  const section = useMemo(() => parseSection(query), [query]);
  const { spanMs, endMs } = section;
  const events = usePage((state) => state.events);
  const { step, backMs } = askedFor(section, agentNowMs());
  const { history, refusal } = useHistory(step, backMs);
  const toMs = endMs ?? history?.at.at(-1) ?? agentNowMs();
  const range: Range = { fromMs: toMs - spanMs, toMs };
  return (
    <>
      <Card title="Over time" end={<Choices section={section} toMs={toMs} />}>
        {refusal && <Alert title={refusal.message} />}
        <p className="note">
          {localTime(range.fromMs, Date.now())} to {localTime(range.toMs, Date.now())}
          {step === '1s' ? ', a sample every second.' : ', a sample every minute.'} Drag across a chart to
          look closer.
        </p>
        {history === null ? (
          <Waiting what="The history is asked for." lines={6} />
        ) : (
          <Charts history={history} range={range} onZoom={zoom} />
        )}
      </Card>
      <Stories events={events} />
    </>
  );
}

function Charts({
  history,
  range,
  onZoom,
}: {
  history: Samples;
  range: Range;
  onZoom: (range: Range) => void;
}) {
  const events = usePage((state) => state.events);
  const { fromMs, toMs } = range;
  const shown = useMemo(() => cutSamples(history, fromMs, toMs), [history, fromMs, toMs]);
  const charts = useMemo(() => [...clientCharts(shown), ...memberCharts(shown)], [shown]);
  if (shown.at.length === 0) return <Empty title="No samples of this time" />;
  return (
    <>
      <EventLane events={events} range={range} />
      <TimeCharts
        charts={charts}
        samples={shown}
        range={range}
        events={events}
        stacked
        onZoom={onZoom}
        heightPx={118}
      />
    </>
  );
}

function zoom(range: Range): void {
  go(addressOfRange(range));
}

function Choices({ section, toMs }: { section: Section; toMs: number }) {
  const { spanMs, endMs } = section;
  return (
    <div className="row">
      <fieldset className="choices">
        <legend className="unseen">How much time</legend>
        {spans.map(({ label, ms }) => (
          <button
            key={label}
            type="button"
            className="small"
            aria-pressed={spanMs === ms}
            onClick={() => go(addressOf({ spanMs: ms, endMs }))}
          >
            {label}
          </button>
        ))}
      </fieldset>
      <div className="choices">
        <button
          type="button"
          className="small"
          aria-label="Back in time"
          onClick={() => go(addressOf(earlier(section, toMs)))}
        >
          ◀
        </button>
        <button
          type="button"
          className="small"
          aria-label="Forward in time"
          aria-disabled={endMs === null}
          onClick={() => endMs !== null && go(addressOf(later(section, toMs, agentNowMs())))}
        >
          ▶
        </button>
        <button
          type="button"
          className="small"
          aria-pressed={endMs === null}
          onClick={() => go(addressOf({ spanMs, endMs: null }))}
        >
          Live
        </button>
      </div>
    </div>
  );
}

/** The charts grow each second, and this does not. */
const Stories = memo(function StoriesOf({ events }: { events: Parameters<typeof storiesOf>[0] }) {
  const stories = useMemo(() => storiesOf(events), [events]);
  return (
    <Card title="Changes of primary">
      {stories.length === 0 ? (
        <Empty title="The primary has not changed">
          <p>As far as the events that are kept go back.</p>
        </Empty>
      ) : (
        <ul className="stories">
          {stories.slice(0, 20).map((story) => (
            <li key={story.key}>
              <When at={story.atMs} ms />
              <StoryLine story={story} />
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
});

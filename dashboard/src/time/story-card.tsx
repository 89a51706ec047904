import { useState } from 'react';
import { duration } from '../data/format.ts';
import { eventKey } from '../data/state.ts';
import type { Story } from '../data/stories.ts';
import { NotedBy } from '../pages/event-lines.tsx';
import { Card } from '../parts/card.tsx';
import { Badge } from '../parts/sign.tsx';
import { When } from '../parts/when.tsx';
import { addressOfRange } from './section.ts';
import type { Range } from './time-chart.tsx';

/** A change of primary. It opens into its steps, in milliseconds. */
export function StoryCard({ story, title }: { story: Story; title: string }) {
  return (
    <Card title={title} end={<When at={story.atMs} ms />}>
      <StoryLine story={story} />
    </Card>
  );
}

export function StoryLine({ story, open = false }: { story: Story; open?: boolean }) {
  const [isOpen, setOpen] = useState(open);
  const { kind, from, to, tookMs, steps } = story;
  return (
    <div className="story">
      <p className="row">
        <Badge tone={kind === 'switchover' ? 'accent' : 'warn'}>{kind}</Badge>
        <span>
          {from === null ? '' : `${from} → `}
          <b>{to}</b>
        </span>
        {tookMs > 0 && (
          <span>
            promoted <b>{duration(tookMs)}</b> after it began
          </span>
        )}
        <button type="button" className="small" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
          {isOpen ? 'Fold up' : `${steps.length} steps`}
        </button>
        <a href={addressOfRange(around(story))} onClick={toTop}>
          See it over time
        </a>
      </p>
      {isOpen && <Steps story={story} />}
    </div>
  );
}

const aroundMs = 30_000;

function around({ atMs, steps }: Story): Range {
  return { fromMs: atMs - aroundMs, toMs: atMs + (steps.at(-1)?.ms ?? 0) + aroundMs };
}

/** The charts may be above, on the same page. */
function toTop(): void {
  window.scrollTo(0, 0);
}

/** Where each step lies: on a scale that shows ones of 3 ms and of 3 s. */
function Steps({ story: { steps } }: { story: Story }) {
  const longest = Math.log1p(Math.max(10, ...steps.map(({ ms }) => ms)));
  return (
    <ol className="waterfall">
      {steps.map(({ ms, event, hosts }) => (
        <li key={eventKey(event)}>
          <span className="at">+{duration(ms)}</span>
          <span className="track" aria-hidden="true">
            <span style={{ left: `${(94 * Math.log1p(Math.max(0, ms))) / longest}%` }} />
          </span>
          <span className="kind">{event.kind}</span>
          <span className="text">
            {event.text} <NotedBy host={hosts.join(', ')} />
          </span>
        </li>
      ))}
    </ol>
  );
}

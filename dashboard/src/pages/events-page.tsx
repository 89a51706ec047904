import { useMemo, useState } from 'react';
import type { ApiEvent } from '../../../src/api/events.ts';
import type { ApiJob } from '../../../src/api/jobs.ts';
import { aboutOf } from '../actions/describe.ts';
import { JobSteps } from '../actions/job-steps.tsx';
import { plural } from '../data/format.ts';
import { usePage } from '../data/page-state.ts';
import { eventKey } from '../data/state.ts';
import { Alert, Card, Empty } from '../parts/card.tsx';
import { Badge } from '../parts/sign.tsx';
import { type Column, LongTable } from '../parts/table.tsx';
import { toneOf } from '../parts/tones.ts';
import { usePhone } from '../parts/use-phone.ts';
import { When } from '../parts/when.tsx';
import { Kind, NotedBy } from './event-lines.tsx';

const columns: readonly Column<ApiEvent>[] = [
  { name: 'When', width: 17, cell: ({ at }) => <When at={at} ms /> },
  { name: 'Kind', width: 17, cell: ({ kind }) => <Kind kind={kind} /> },
  { name: 'About', width: 13, cell: ({ subject }) => subject },
  { name: 'What happened', cell: ({ text }) => <span title={text}>{text}</span> },
];
const notedBy: Column<ApiEvent> = { name: 'Noted by', width: 9, cell: ({ host }) => host };

/** Two lines for each. */
const phoneColumns: readonly Column<ApiEvent>[] = [
  {
    name: 'What happened',
    cell: ({ at, kind, text, host }) => (
      <span className="two-lines">
        <span>
          <When at={at} ms /> <Kind kind={kind} /> <NotedBy host={host} />
        </span>
        <span title={text}>{text}</span>
      </span>
    ),
  },
];

export function EventsPage() {
  const isPhone = usePhone();
  const isFleet = usePage(({ view }) => (view?.hosts.length ?? 0) > 1);
  const events = usePage((state) => state.events);
  const { jobs, missing } = usePage((state) => state.jobs);
  const [wanted, setWanted] = useState('');
  const found = useMemo(() => {
    const word = wanted.trim().toLowerCase();
    const match = ({ kind, subject, text, host }: ApiEvent) =>
      `${kind} ${subject} ${text} ${host}`.toLowerCase().includes(word);
    return (word === '' ? [...events] : events.filter(match)).reverse();
  }, [events, wanted]);
  return (
    <>
      <Card
        title="Events"
        end={
          <div className="row">
            <span className="note" role="status">
              {plural(found.length, 'event')}
            </span>
            <input
              type="search"
              placeholder="Find"
              aria-label="Find events"
              value={wanted}
              onChange={({ target }) => setWanted(target.value)}
            />
          </div>
        }
      >
        {found.length === 0 ? (
          <Empty title={wanted === '' ? 'Nothing has happened yet' : 'No event has that in it'} />
        ) : (
          <LongTable
            caption="Events, newest first"
            columns={isPhone ? phoneColumns : isFleet ? [...columns, notedBy] : columns}
            rowPx={isPhone ? 60 : 38}
            rows={found}
            keyOf={eventKey}
          />
        )}
      </Card>
      <Card title="Actions that were asked for">
        {missing.map(({ host, why }) => (
          <Alert key={host} title={`Not known of ${host}: ${why}`} />
        ))}
        {jobs.length === 0 ? (
          <Empty title="None since the agents started" />
        ) : (
          <ul className="jobs">
            {jobs.slice(0, 30).map((job) => (
              <Job key={job.id} job={job} isFleet={isFleet} />
            ))}
          </ul>
        )}
      </Card>
    </>
  );
}

function Job({ job, isFleet }: { job: ApiJob; isFleet: boolean }) {
  return (
    <li>
      <details>
        <summary>
          <When at={job.startedAt} /> <b>{job.kind}</b> {aboutOf(job)}{' '}
          <Badge tone={toneOf(job.state)}>{job.state}</Badge>{' '}
          <span className="note">
            asked for by {job.by}
            {isFleet && ` at ${job.host}`}
          </span>
        </summary>
        <JobSteps job={job} />
      </details>
    </li>
  );
}

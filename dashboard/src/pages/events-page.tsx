import { useMemo } from 'react';
import type { ApiEvent } from '../../../src/api/events.ts';
import type { ApiJob } from '../../../src/api/jobs.ts';
import { aboutOf } from '../actions/describe.ts';
import { JobSteps } from '../actions/job-steps.tsx';
import { plural } from '../data/format.ts';
import { usePage } from '../data/page-state.ts';
import { useWanted } from '../data/route.ts';
import { eventKey } from '../data/state.ts';
import { Alert, Card, Empty } from '../parts/card.tsx';
import { Badge } from '../parts/sign.tsx';
import { type Column, LongTable, TwoLines } from '../parts/table.tsx';
import { toneOf } from '../parts/tones.ts';
import { usePhone } from '../parts/use-phone.ts';
import { When } from '../parts/when.tsx';
import { Kind, NotedBy } from './event-lines.tsx';

/** What stands beside a kind: its sign. */
const sign = '__';
/** As long as a time with its day and milliseconds. */
const instant = '_'.repeat(20);

const columns: readonly Column<ApiEvent>[] = [
  { name: 'When', width: 17, cell: ({ at }) => <When at={at} ms /> },
  { name: 'Kind', width: 17, texts: ({ kind }) => [sign + kind], cell: ({ kind }) => <Kind kind={kind} /> },
  { name: 'About', width: 13, texts: ({ subject }) => [subject], cell: ({ subject }) => subject },
  { name: 'What happened', texts: ({ text }) => [text], cell: ({ text }) => text },
];
const fleetColumns: readonly Column<ApiEvent>[] = [
  ...columns,
  { name: 'Noted by', width: 9, texts: ({ host }) => [host], cell: ({ host }) => host },
];
const phoneColumns: readonly Column<ApiEvent>[] = [
  {
    name: 'What happened',
    texts: ({ kind, text, host }) => [instant + sign + kind + host, text],
    cell: ({ at, kind, text, host }) => (
      <TwoLines texts={[<Head key={at} {...{ at, kind, host }} />, text]} />
    ),
  },
];

function Head({ at, kind, host }: Pick<ApiEvent, 'at' | 'kind' | 'host'>) {
  return (
    <>
      <When at={at} ms /> <Kind kind={kind} /> <NotedBy host={host} />
    </>
  );
}

export function EventsPage() {
  const isPhone = usePhone();
  const isFleet = usePage(({ view }) => (view?.hosts.length ?? 0) > 1);
  const events = usePage((state) => state.events);
  const { jobs, missing } = usePage((state) => state.jobs);
  const [wanted, setWanted] = useWanted();
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
            columns={isPhone ? phoneColumns : isFleet ? fleetColumns : columns}
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

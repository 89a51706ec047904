import type { ReactNode } from 'react';
import type {
  ApiMigration,
  ApiMigrations,
  ApiMirror,
  ApiMirrors,
  ApiRequestMirror,
} from '../../../src/api/moves.ts';
import { ago, bytes, count, duration, plural } from '../data/format.ts';
import { agentNowMs } from '../data/page-state.ts';
import { useAnswer } from '../data/use-answer.ts';
import { Alert, Card, Empty, Pairs, Waiting } from '../parts/card.tsx';
import { Badge } from '../parts/sign.tsx';
import { type Column, Table } from '../parts/table.tsx';
import { toneOf } from '../parts/tones.ts';
import { When } from '../parts/when.tsx';

type Source = ApiMigration['sources'][number];
type Copying = Pick<Source, 'keys' | 'bytes' | 'totalBytes' | 'bytesPerSecond' | 'secondsLeft'>;

/** Data on its way into the deployment, and out of it. */
export function MovesPage() {
  const migrations = useAnswer<ApiMigrations>('api/migrations', 1000);
  const mirrors = useAnswer<ApiMirrors>('api/mirrors', 1000);
  return (
    <>
      <Card title="Mirrors">
        <Answered answer={mirrors} what="The mirrors are asked for.">
          {({ mirrors: all, requests }) => <Mirrors mirrors={all} hasRequests={requests.length > 0} />}
        </Answered>
      </Card>
      {mirrors.value !== null && mirrors.value.requests.length > 0 && (
        <Card title="Copies of requests">
          <Table
            caption="Copies of requests"
            columns={requestColumns}
            rows={mirrors.value.requests}
            keyOf={({ host, name }) => `${host} ${name}`}
          />
        </Card>
      )}
      <Answered answer={migrations} what="The migrations are asked for.">
        {({ migrations: all }) =>
          all.length === 0 ? (
            <Card title="Migrations">
              <Empty title="No migration is under way">
                <p>
                  <code>holdfast migrate</code> begins one; what was begun with the spec of this deployment
                  stands here.
                </p>
              </Empty>
            </Card>
          ) : (
            all.map((each) => <Migration key={`${each.host} ${each.id}`} migration={each} />)
          )
        }
      </Answered>
    </>
  );
}

interface AnsweredProps<T> {
  answer: { value: T | null; refusal: { message: string; hint: string | null } | null };
  what: string;
  children: (value: T) => ReactNode;
}

function Answered<T extends { missing: readonly { host: string; why: string }[] }>({
  answer: { value, refusal },
  what,
  children,
}: AnsweredProps<T>) {
  return (
    <>
      {refusal && <Alert title={refusal.message}>{refusal.hint && <p>{refusal.hint}</p>}</Alert>}
      {value === null && !refusal && <Waiting what={what} />}
      {value?.missing.map(({ host, why }) => (
        <p key={`${host} ${why}`} className="note">
          Not known of {host}: {why}
        </p>
      ))}
      {value && children(value)}
    </>
  );
}

const mirrorColumns: readonly Column<ApiMirror>[] = [
  { name: 'Mirror', cell: ({ name }) => name },
  { name: 'State', cell: (mirror) => <State state={mirror.state} problem={mirror.problem} /> },
  { name: 'To', wide: true, cell: ({ to }) => to },
  { name: 'Runs on', cell: ({ host }) => host ?? 'nobody knows' },
  {
    name: 'Copied',
    wide: true,
    cell: (mirror) => <Copied of={mirror} isCopying={mirror.state === 'copying'} />,
  },
  { name: 'Speed', figure: true, cell: ({ bytesPerSecond }) => `${bytes(bytesPerSecond)}/s` },
  { name: 'Behind', figure: true, cell: (mirror) => <Behind of={mirror} /> },
  { name: 'Queue', figure: true, cell: (mirror) => <Queue of={mirror} /> },
];

/** Beside each figure that of the clients' own requests: that is what it is for. */
const requestColumns: readonly Column<ApiRequestMirror>[] = [
  { name: 'Mirror', cell: ({ name }) => name },
  { name: 'State', cell: ({ state, problem }) => <State state={state} problem={problem} /> },
  { name: 'To', wide: true, cell: ({ to }) => to },
  { name: 'Gates of', cell: ({ host }) => host },
  { name: 'Copied', figure: true, cell: ({ copied }) => count(copied) },
  { name: 'Dropped', figure: true, cell: ({ dropped }) => count(dropped) },
  { name: 'Not answered', figure: true, cell: ({ failed }) => count(failed) },
  {
    name: 'Errors',
    cell: ({ errors, own }) => `${words(errors)} (clients: ${own ? words(own.errors) : '–'})`,
  },
  { name: 'Reads, p99', figure: true, cell: ({ readP99Ms, own }) => beside(readP99Ms, own?.readP99Ms) },
  { name: 'Writes, p99', figure: true, cell: ({ writeP99Ms, own }) => beside(writeP99Ms, own?.writeP99Ms) },
];

function words(errors: Readonly<Record<string, number>>): string {
  return (
    Object.entries(errors)
      .map(([word, many]) => `${word} ${count(many)}`)
      .join(', ') || 'none'
  );
}

function beside(ms: number, ownMs: number | undefined): string {
  return `${duration(ms)} (clients: ${ownMs === undefined ? '–' : duration(ownMs)})`;
}

function Mirrors({ mirrors, hasRequests }: { mirrors: readonly ApiMirror[]; hasRequests: boolean }) {
  if (mirrors.length === 0 && hasRequests) return <Empty title="No mirror follows by stream" />;
  if (mirrors.length === 0) {
    return (
      <Empty title="The spec has no mirrors">
        <p>
          <code>mirrors:</code> in it names copies elsewhere, which follow this deployment.
        </p>
      </Empty>
    );
  }
  return <Table caption="Mirrors" columns={mirrorColumns} rows={mirrors} keyOf={({ name }) => name} />;
}

const sourceColumns: readonly Column<Source>[] = [
  { name: 'Source', wide: true, cell: ({ source }) => source },
  { name: 'State', cell: ({ phase, problem }) => <State state={phase} problem={problem} /> },
  { name: 'Read from', wide: true, cell: ({ at }) => at },
  {
    name: 'Copied',
    wide: true,
    cell: (source) => <Copied of={source} isCopying={source.phase === 'copying'} />,
  },
  { name: 'Followed', figure: true, cell: ({ commands }) => plural(commands, 'command') },
  { name: 'Speed', figure: true, cell: ({ bytesPerSecond }) => `${bytes(bytesPerSecond)}/s` },
  { name: 'Behind', figure: true, cell: (source) => <Behind of={source} /> },
];

function Migration({ migration }: { migration: ApiMigration }) {
  const { id, host, folder, startedAt, target, phase, runs, updatedAt, failure, sources } = migration;
  const said = updatedAt === null ? null : ago(Math.max(0, agentNowMs() - Date.parse(updatedAt)));
  return (
    <Card title={`Migration ${id}`} end={<Badge tone={toneOf(phase)}>{phase}</Badge>}>
      <div className="stack">
        {failure !== null && <Alert title={`It failed: ${failure}`} />}
        {!runs && (
          <Alert title="No process runs it: nothing is copied, and nothing follows.">
            <p>
              On {host}, <code>holdfast migrate resume --state-dir {folder}</code> goes on from where it was.
            </p>
          </Alert>
        )}
        <Pairs
          pairs={[
            ['Into', target],
            ['Begun', <When key="begun" at={startedAt} />],
            ['On host', host],
            ['Its state', folder],
            ['Last heard of', said ?? 'nothing yet'],
          ]}
        />
        {sources.length === 0 ? (
          <Empty title="It has not said yet how far it is" />
        ) : (
          <Table
            caption={`Sources of the migration ${id}`}
            columns={sourceColumns}
            rows={sources}
            keyOf={({ source, at }) => `${source} ${at}`}
          />
        )}
      </div>
    </Card>
  );
}

function State({ state, problem }: { state: string; problem: string | null }) {
  return (
    <>
      <Badge tone={toneOf(state)}>{state}</Badge>
      {problem !== null && <span className="note reason">{problem}</span>}
    </>
  );
}

function Copied({
  of: { keys, bytes: read, totalBytes, secondsLeft },
  isCopying,
}: {
  of: Copying;
  isCopying: boolean;
}) {
  const many = `${count(keys)} ${keys === 1 ? 'key' : 'keys'}`;
  const left = secondsLeft === null ? '' : `, ${duration(secondsLeft * 1000)} left`;
  if (!isCopying) return keys === 0 ? '–' : `${many}${left}`;
  return (
    <span className="progress">
      <progress
        aria-label="Copied"
        max={1}
        {...(totalBytes === null ? {} : { value: Math.min(1, read / Math.max(1, totalBytes)) })}
      />
      <span className="note">
        {many}, {bytes(read)}
        {totalBytes === null ? '' : ` of ${bytes(totalBytes)}`}
        {left}
      </span>
    </span>
  );
}

function Queue({ of: { queueBytes, queueMs } }: { of: ApiMirror }) {
  if (queueBytes === null) return '–';
  if (queueBytes === 0) return 'nothing';
  return `${bytes(queueBytes)}${queueMs === null ? '' : `, ${duration(queueMs)}`}`;
}

function Behind({ of: { lagBytes, lagMs } }: { of: Pick<Source, 'lagBytes' | 'lagMs'> }) {
  if (lagBytes === null) return '–';
  if (lagBytes === 0) return 'nothing';
  return `${bytes(lagBytes)}${lagMs === null ? '' : `, ${duration(lagMs)}`}`;
}

import type { ApiBackups } from '../../../src/api/findings.ts';
import type { ApiBackupStatus } from '../../../src/api/view.ts';
import { ActionButton } from '../actions/open-action.tsx';
import { bytes, count, duration } from '../data/format.ts';
import { usePage } from '../data/page-state.ts';
import { useAnswer } from '../data/use-answer.ts';
import { Alert, Card, Empty, Pairs, Waiting } from '../parts/card.tsx';
import { Badge } from '../parts/sign.tsx';
import { type Column, Table } from '../parts/table.tsx';
import { When, whenOr } from '../parts/when.tsx';

type Backup = ApiBackups['backups'][number];

const columns: readonly Column<Backup>[] = [
  { name: 'Taken', cell: ({ startedAt }) => <When at={startedAt} /> },
  { name: 'Keys', figure: true, cell: ({ keys }) => count(keys) },
  {
    name: 'Stored',
    figure: true,
    cell: ({ storedBytes, compression }) =>
      `${bytes(storedBytes)}${compression === 'none' ? '' : `, ${compression}`}`,
  },
  { name: 'Took', figure: true, cell: ({ durationMs }) => duration(durationMs) },
  {
    name: 'From',
    cell: ({ source, serverVersion }) => (
      <>
        {source} <span className="note">{serverVersion}</span>
      </>
    ),
  },
  { name: 'Why', cell: ({ reason, encrypted }) => `${reason}${encrypted ? ', encrypted' : ''}` },
  { name: 'Verified', cell: ({ verified }) => <Verified verified={verified} /> },
  {
    name: 'Actions',
    wide: true,
    cell: ({ id }) => (
      <span className="row buttons">
        <ActionButton operation={{ kind: 'verify', backup: id }} label="Verify…" small />
        <ActionButton operation={{ kind: 'restore', backup: id }} label="Restore…" small />
      </span>
    ),
  },
];

function Verified({ verified }: { verified: Backup['verified'] }) {
  if (verified === null) return <span className="note">not yet</span>;
  return (
    <>
      <Badge tone={verified.good ? 'good' : 'bad'}>{verified.good ? 'good' : 'not good'}</Badge>{' '}
      <span className="note">
        <When at={verified.at} />
      </span>
      {verified.problems.map((text) => (
        <p key={text}>{text}</p>
      ))}
    </>
  );
}

export function BackupsPage() {
  const status = usePage(({ view }) => view?.backup ?? null);
  const { value, refusal } = useAnswer<ApiBackups>('api/backups', 5000);
  return (
    <Card title="Backups" end={<ActionButton operation={{ kind: 'backup' }} label="Back up now…" small />}>
      {refusal && <Alert title={refusal.message}>{refusal.hint && <p>{refusal.hint}</p>}</Alert>}
      {value === null ? (
        !refusal && <Waiting what="The store is looked at." />
      ) : (
        <div className="stack">
          <Schedule store={value.store} schedule={value.schedule} status={status} />
          <Store backups={value} />
        </div>
      )}
    </Card>
  );
}

function Schedule({
  store,
  schedule,
  status,
}: {
  store: string | null;
  schedule: string | null;
  status: ApiBackupStatus | null;
}) {
  if (store === null) return null;
  return (
    <>
      {status?.lastError && <Alert title={`The last try failed: ${status.lastError}`} />}
      <Pairs
        pairs={[
          ['Store', store],
          ['Schedule', schedule ?? 'none'],
          ['Next', whenOr(status?.nextAt)],
          ['Now', status?.running ? 'one is being taken' : 'idle'],
        ]}
      />
    </>
  );
}

function Store({ backups: { store, backups, broken } }: { backups: ApiBackups }) {
  if (store === null) {
    return (
      <Empty title="The spec names no store of backups">
        <p>
          Add <code>backup.to</code> to it: a folder, or a bucket of S3.
        </p>
      </Empty>
    );
  }
  return (
    <>
      {backups.length === 0 ? (
        <Empty title="There is no backup yet" />
      ) : (
        <Table caption="Backups, newest first" columns={columns} rows={backups} keyOf={({ id }) => id} />
      )}
      {broken.map(({ id, why }) => (
        <Alert key={id} title={`${id} can't be used: ${why}`} />
      ))}
    </>
  );
}

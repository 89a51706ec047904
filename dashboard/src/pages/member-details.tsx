import type { ReactNode } from 'react';
import type { ApiMemberDetails } from '../../../src/api/details.ts';
import type { ApiMember } from '../../../src/api/view.ts';
import { ActionButton } from '../actions/open-action.tsx';
import { RestartButton } from '../actions/restart-button.tsx';
import { bytes, count, duration, plural } from '../data/format.ts';
import { useAnswer } from '../data/use-answer.ts';
import { Alert, Card, Empty, Pairs, Waiting } from '../parts/card.tsx';
import { Condition } from '../parts/condition.tsx';
import { type Column, LongTable, Table, TwoLines } from '../parts/table.tsx';
import { usePhone } from '../parts/use-phone.ts';
import { When, whenOr } from '../parts/when.tsx';

type Slow = ApiMemberDetails['slowLog'][number];
type Client = ApiMemberDetails['clients'][number];

const slowColumns: readonly Column<Slow>[] = [
  { name: 'Command', cell: ({ command }) => <code>{command}</code> },
  { name: 'When', cell: ({ at }) => <When at={at} /> },
  { name: 'Took', figure: true, cell: ({ tookMs }) => duration(tookMs) },
  {
    name: 'Client',
    wide: true,
    cell: ({ client, clientName }) => (clientName === '' ? client : `${clientName}, ${client}`),
  },
];

const clientColumns: readonly Column<Client>[] = [
  { name: 'Client', width: 22, texts: ({ address }) => [address], cell: ({ address }) => address },
  { name: 'Name', width: 20, texts: ({ name }) => [name], cell: ({ name }) => name || '–' },
  { name: 'User', width: 12, texts: ({ user }) => [user], cell: ({ user }) => user },
  { name: 'Kind', width: 10, texts: ({ kind }) => [kind], cell: ({ kind }) => kind },
  { name: 'Last command', width: 14, texts: ({ command }) => [command], cell: ({ command }) => command },
  { name: 'Silent', width: 11, figure: true, cell: ({ idleMs }) => duration(idleMs) },
  { name: 'Memory', width: 11, figure: true, cell: ({ memoryBytes }) => bytes(memoryBytes) },
];

const whose = ({ name, address, user }: Client) => [name || user, address] as const;
const what = ({ command, kind }: Client) => [command, kind] as const;
const phoneClientColumns: readonly Column<Client>[] = [
  { name: 'Client', width: 64, texts: whose, cell: (client) => <TwoLines texts={whose(client)} /> },
  { name: 'Last command', figure: true, texts: what, cell: (client) => <TwoLines texts={what(client)} /> },
];

/** Everything of one member. */
export function MemberDetails({ member }: { member: ApiMember }) {
  const { value, refusal } = useAnswer<ApiMemberDetails>(
    `api/members/${encodeURIComponent(member.id)}`,
    3000,
  );
  const trouble = member.trouble ?? member.refusal;
  return (
    <>
      <Card title={member.id} end={<Buttons member={member} />}>
        <div className="stack">
          {trouble !== null && <Alert title={trouble} />}
          <Pairs pairs={figuresOf(member)} />
          {member.memory?.maxBytes && <Bar used={member.memory.usedBytes} of={member.memory.maxBytes} />}
        </div>
      </Card>
      {refusal && <Alert title={refusal.message}>{refusal.hint && <p>{refusal.hint}</p>}</Alert>}
      {value === null ? !refusal && <Waiting what={`${member.id} is asked.`} /> : <Asked details={value} />}
    </>
  );
}

function Buttons({ member }: { member: ApiMember }) {
  return (
    <div className="row">
      {member.role === 'replica' && (
        <ActionButton operation={{ kind: 'switchover', to: member.id }} label="Make it primary…" small />
      )}
      <RestartButton process={member} about={member.id} />
    </div>
  );
}

function figuresOf(member: ApiMember): (readonly [string, ReactNode])[] {
  const { memory, persistence } = member;
  const follows = member.role === 'primary' ? 'nobody, it is primary' : (member.follows ?? 'nobody');
  const disk = persistence && [
    persistence.saveOk ? 'saves work' : 'the last save failed',
    ...(persistence.aofOk === null ? [] : [persistence.aofOk ? 'AOF works' : 'AOF has an error']),
    ...(persistence.saving ? ['is saving'] : []),
    ...(persistence.rewriting ? ['is rewriting the AOF'] : []),
  ];
  return [
    ['State', <Condition key="state" of={{ ...member, trouble: null, refusal: null }} />],
    ['Server', member.version ?? '–'],
    ['Process', member.pid === null ? '–' : String(member.pid)],
    ['Memory', memory === null ? '–' : `${bytes(memory.usedBytes)}, ${bytes(memory.rssBytes)} of the system`],
    ['Fragmentation', memory?.fragmentation?.toFixed(2) ?? '–'],
    ['Keys', `${count(member.keys)}, ${count(member.evictedKeys)} evicted`],
    ['Follows', follows],
    ['Link', member.linkUp ? 'up' : 'down'],
    ['Behind', `${bytes(member.lagBytes)}, ${duration(member.lagMs)}`],
    ['Offset', member.offset.toLocaleString('en')],
    [
      'Priority',
      member.priority === null ? '–' : `${member.priority}${member.eligible === false ? ', ineligible' : ''}`,
    ],
    ['Persistence', disk === null ? '–' : disk.join(', ')],
    ['Last save', whenOr(persistence?.savedAt)],
    ['Not yet saved', persistence === null ? '–' : plural(persistence.unsavedChanges ?? 0, 'change')],
  ];
}

function Bar({ used, of }: { used: number; of: number }) {
  const share = Math.min(1, used / of);
  return (
    <div>
      <span className="note">
        {(share * 100).toFixed(0)} % of maxmemory, {bytes(of)}
      </span>
      <span className={`bar ${share > 0.85 ? 'warn' : ''}`} aria-hidden="true">
        <span style={{ width: `${share * 100}%` }} />
      </span>
    </div>
  );
}

function Asked({ details }: { details: ApiMemberDetails }) {
  const isPhone = usePhone();
  const { keyspace, slowLog, clients, clientsTotal, info } = details;
  return (
    <>
      <div className="columns">
        <Card title="Slow log">
          {slowLog.length === 0 ? (
            <Empty title="Nothing was slow" />
          ) : (
            <Table
              caption="Slow log, newest first"
              columns={slowColumns}
              rows={slowLog.slice(0, 12)}
              keyOf={({ at, command, client, tookMs }) => `${at} ${command} ${client} ${tookMs}`}
            />
          )}
        </Card>
        <Card title="Databases">
          {keyspace.length === 0 ? (
            <Empty title="No keys" />
          ) : (
            <Pairs
              pairs={keyspace.map(({ db, keys, expiring }) => [
                `Database ${db}`,
                `${plural(keys, 'key')}, ${count(expiring)} with an expiry`,
              ])}
            />
          )}
        </Card>
      </div>
      <Card title="Connections" end={<span className="note">{count(clientsTotal)} in all</span>}>
        <LongTable
          caption="Connections"
          columns={isPhone ? phoneClientColumns : clientColumns}
          rows={clients}
          keyOf={({ id }) => id}
        />
      </Card>
      <Card title="INFO">
        {Object.entries(info).map(([section, fields]) => (
          <details key={section}>
            <summary>{section}</summary>
            <Pairs pairs={Object.entries(fields)} />
          </details>
        ))}
      </Card>
    </>
  );
}

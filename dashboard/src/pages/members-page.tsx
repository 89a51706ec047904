import type { ApiMember } from '../../../src/api/view.ts';
import { ActionButton } from '../actions/open-action.tsx';
import { bytes, count } from '../data/format.ts';
import { usePage } from '../data/page-state.ts';
import { Card } from '../parts/card.tsx';
import { Condition } from '../parts/condition.tsx';
import { type Column, Table } from '../parts/table.tsx';
import { MemberDetails } from './member-details.tsx';

const columns: readonly Column<ApiMember>[] = [
  { name: 'Member', cell: ({ id }) => <a href={`#/members/${encodeURIComponent(id)}`}>{id}</a> },
  {
    name: 'State',
    cell: (member) => <Condition of={member} />,
  },
  { name: 'Role', cell: ({ role, eligible }) => `${role ?? '–'}${eligible === false ? ', ineligible' : ''}` },
  { name: 'Where', cell: ({ host, address, port }) => `${host}, ${address}:${port}`, wide: true },
  { name: 'Lag', figure: true, cell: ({ role, lagBytes }) => (role === 'primary' ? '–' : bytes(lagBytes)) },
  {
    name: 'Memory',
    figure: true,
    cell: ({ memory }) =>
      memory === null
        ? '–'
        : `${bytes(memory.usedBytes)}${memory.maxBytes === null ? '' : ` of ${bytes(memory.maxBytes)}`}`,
  },
  { name: 'Keys', figure: true, cell: ({ keys }) => count(keys) },
  { name: 'Commands/s', figure: true, cell: ({ commandsPerSecond }) => count(commandsPerSecond) },
  { name: 'Clients', figure: true, cell: ({ clients }) => count(clients) },
  { name: 'Restarts', figure: true, cell: ({ restarts }) => count(restarts) },
];

export function MembersPage({ id }: { id: string | null }) {
  const view = usePage((state) => state.view);
  if (!view) return null;
  const chosen = view.members.find((member) => member.id === id);
  return (
    <>
      <Card title="Members" end={<ActionButton operation={{ kind: 'restart' }} label="Restart…" small />}>
        <Table caption="Members" columns={columns} rows={view.members} keyOf={(member) => member.id} />
      </Card>
      {chosen && <MemberDetails key={chosen.id} member={chosen} />}
    </>
  );
}

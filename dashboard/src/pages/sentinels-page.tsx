import type { ApiSentinel } from '../../../src/api/view.ts';
import { RestartButton } from '../actions/restart-button.tsx';
import { count } from '../data/format.ts';
import { usePage } from '../data/page-state.ts';
import { Card, Empty } from '../parts/card.tsx';
import { Condition } from '../parts/condition.tsx';
import { type Column, Table } from '../parts/table.tsx';
import { When } from '../parts/when.tsx';

function columnsFor(primary: string | null, chosen: string | null): readonly Column<ApiSentinel>[] {
  return [
    { name: 'Sentinel', cell: ({ id }) => (id === chosen ? <mark>{id}</mark> : id) },
    {
      name: 'State',
      cell: (sentinel) => <Condition of={sentinel} />,
    },
    {
      name: 'Names as primary',
      cell: ({ names }) =>
        names === primary ? (names ?? '–') : `${names ?? 'nobody'}, against the majority`,
    },
    { name: 'Epoch', figure: true, cell: ({ epoch }) => count(epoch) },
    {
      name: 'Says',
      cell: ({ agreesDown, failover, state }) =>
        [
          ...(agreesDown ? ['the primary is down'] : []),
          ...(failover ? ['a failover is under way'] : []),
          ...(state === 'tilt' ? ['it acts on nothing for 30 s'] : []),
          ...(state === 'unassigned' ? ['it watches no primary of this deployment'] : []),
        ].join(', ') || '–',
    },
    {
      name: 'Last vote',
      cell: ({ voted }) =>
        voted === null ? (
          '–'
        ) : (
          <>
            epoch {voted.epoch}
            {voted.ours ? ', for this agent' : ''}, <When at={voted.at} />
          </>
        ),
    },
    { name: 'Where', wide: true, cell: ({ host, address, port }) => `${host}, ${address}:${port}` },
    {
      name: 'Action',
      cell: (sentinel) => <RestartButton process={sentinel} about={sentinel.id} />,
    },
  ];
}

export function SentinelsPage({ id }: { id: string | null }) {
  const view = usePage((state) => state.view);
  if (!view) return null;
  const { sentinels, primary, quorum } = view;
  const up = sentinels.filter(({ state }) => state === 'up').length;
  const majority = Math.floor(sentinels.length / 2) + 1;
  if (sentinels.length === 0) {
    return (
      <Card title="Sentinels">
        <Empty title="There are none">
          <p>
            The members’ own data say who leads. A person changes that: <code>holdfast switchover</code>,{' '}
            <code>holdfast failover</code>, or the buttons of the overview.
          </p>
        </Empty>
      </Card>
    );
  }
  return (
    <Card
      title="Sentinels"
      end={
        <span className="note">
          {up} of {sentinels.length} up, {majority} are a majority, quorum {quorum}
        </span>
      }
    >
      <Table
        caption="Sentinels"
        columns={columnsFor(primary, id)}
        rows={sentinels}
        keyOf={(sentinel) => sentinel.id}
      />
    </Card>
  );
}

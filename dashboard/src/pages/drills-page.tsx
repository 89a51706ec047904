import type { ApiDrills } from '../../../src/api/findings.ts';
import { ActionButton } from '../actions/open-action.tsx';
import { usePage } from '../data/page-state.ts';
import { useAnswer } from '../data/use-answer.ts';
import { Alert, Card, Empty, Waiting } from '../parts/card.tsx';
import { Badge } from '../parts/sign.tsx';
import { type Column, Table } from '../parts/table.tsx';
import { When } from '../parts/when.tsx';

type Run = ApiDrills['runs'][number];
type Scenario = ApiDrills['scenarios'][number];

/** @param here the host of the agent that is asked; null where it is the only one */
const runColumns = (here: string | null): readonly Column<Run>[] => [
  { name: 'Drill', cell: ({ scenario }) => scenario },
  ...(here === null ? [] : [{ name: 'Host', cell: ({ host }: Run) => host }]),
  { name: 'When', cell: ({ at }) => <When at={at} /> },
  {
    name: 'Promises',
    cell: ({ kept }) => (
      <Badge tone={kept === null ? 'off' : kept ? 'good' : 'bad'}>
        {kept === null ? 'did not end' : kept ? 'all kept' : 'not all kept'}
      </Badge>
    ),
  },
  {
    name: 'Page',
    cell: ({ page, host }) =>
      page !== null ? (
        <a href={relative(page)}>Its page</a>
      ) : here === null || host === here ? (
        '–'
      ) : (
        `at the agent of ${host}`
      ),
  },
];

const scenarioColumns: readonly Column<Scenario>[] = [
  { name: 'Scenario', cell: ({ name }) => name },
  // Our own words: as wide as there is room.
  { name: 'What is done, and promised', wide: true, cell: ({ about }) => <>{about}</> },
  {
    name: 'Action',
    cell: ({ name }) => <ActionButton operation={{ kind: 'drill', scenario: name }} label="Run…" small />,
  },
];

export function DrillsPage() {
  const { value, refusal } = useAnswer<ApiDrills>('api/drills', 5000);
  const here = usePage(({ view }) => ((view?.hosts.length ?? 0) > 1 ? (view?.host ?? null) : null));
  if (value === null) {
    return (
      <Card title="Drills">
        {refusal ? <Alert title={refusal.message} /> : <Waiting what="The drills are asked for." />}
      </Card>
    );
  }
  return (
    <>
      <Card title="Drills that were run">
        {value.missing.map(({ host, why }) => (
          <Alert key={host} title={`Not known of ${host}: ${why}`} />
        ))}
        {value.runs.length === 0 ? (
          <Empty title="None yet">
            <p>
              A drill makes a failure on purpose, in a deployment of its own, and accounts for every write.
            </p>
          </Empty>
        ) : (
          <Table
            caption="Drills, newest first"
            columns={runColumns(here)}
            rows={value.runs}
            keyOf={({ id }) => id}
          />
        )}
      </Card>
      <Card title="Scenarios">
        <Table
          caption="Scenarios"
          columns={scenarioColumns}
          rows={value.scenarios}
          keyOf={({ name }) => name}
        />
      </Card>
    </>
  );
}

/** The page may lie under a folder, which a path from the root would leave. Never another site, whatever the answer says. */
function relative(page: string): string {
  return page.startsWith('/api/') ? page.slice(1) : '#/drills';
}

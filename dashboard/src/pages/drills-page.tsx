import type { ApiDrills } from '../../../src/api/findings.ts';
import { ActionButton } from '../actions/open-action.tsx';
import { useAnswer } from '../data/use-answer.ts';
import { Alert, Card, Empty, Waiting } from '../parts/card.tsx';
import { Badge } from '../parts/sign.tsx';
import { type Column, Table } from '../parts/table.tsx';
import { When } from '../parts/when.tsx';

type Run = ApiDrills['runs'][number];
type Scenario = ApiDrills['scenarios'][number];

const runColumns: readonly Column<Run>[] = [
  { name: 'Drill', cell: ({ scenario }) => scenario },
  { name: 'When', cell: ({ at }) => <When at={at} /> },
  {
    name: 'Promises',
    cell: ({ kept }) => (
      <Badge tone={kept === null ? 'off' : kept ? 'good' : 'bad'}>
        {kept === null ? 'did not end' : kept ? 'all kept' : 'not all kept'}
      </Badge>
    ),
  },
  { name: 'Page', cell: ({ page }) => (page === null ? '–' : <a href={relative(page)}>Its page</a>) },
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
  if (value === null) {
    return (
      <Card title="Drills">
        {refusal ? <Alert title={refusal.message} /> : <Waiting what="The drills are asked for." />}
      </Card>
    );
  }
  return (
    <>
      <Card title="Drills that were run here">
        {value.runs.length === 0 ? (
          <Empty title="None since this agent started">
            <p>
              A drill makes a failure on purpose, in a deployment of its own, and accounts for every write.
            </p>
          </Empty>
        ) : (
          <Table
            caption="Drills, newest first"
            columns={runColumns}
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

import type { ApiSpec } from '../../../src/api/findings.ts';
import type { ApiDrift } from '../../../src/api/view.ts';
import { useAnswer } from '../data/use-answer.ts';
import { Alert, Card, Empty, Waiting } from '../parts/card.tsx';
import { type Column, Table } from '../parts/table.tsx';
import { asYaml } from './as-yaml.ts';

const columns: readonly Column<ApiDrift>[] = [
  { name: 'Name', cell: ({ name }) => <code>{name}</code> },
  { name: 'Kind', cell: ({ kind }) => kind },
  { name: 'Member', cell: ({ member }) => member },
  { name: 'Runs with', wide: true, cell: ({ running }) => <code>{running}</code> },
  { name: 'The spec says', wide: true, cell: ({ wanted }) => <code>{wanted}</code> },
];

export function SpecPage() {
  const { value, refusal } = useAnswer<ApiSpec>('api/spec', 10_000);
  if (value === null) {
    return (
      <Card title="The spec">
        {refusal ? <Alert title={refusal.message} /> : <Waiting what="The spec is asked for." lines={6} />}
      </Card>
    );
  }
  return (
    <>
      <Card title="What differs from the spec">
        {value.missing.map(({ host, why }) => (
          <Alert key={host} title={`Not known of ${host}: ${why}`} />
        ))}
        {value.drift.length === 0 ? (
          <Empty title="Nothing">
            <p>What runs is what the spec says.</p>
          </Empty>
        ) : (
          <>
            <p className="note">
              <code>holdfast apply</code> brings what runs to what the spec says;{' '}
              <code>holdfast apply --adopt-drift</code> takes it into the spec.
            </p>
            <Table
              caption="What differs"
              columns={columns}
              rows={value.drift}
              keyOf={({ member, kind, name }) => `${member} ${kind} ${name}`}
            />
          </>
        )}
      </Card>
      <Card title="The spec, with its defaults">
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard. */}
        <pre className="text" tabIndex={0}>
          {asYaml(value.spec)}
        </pre>
      </Card>
    </>
  );
}

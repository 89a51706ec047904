import type { ApiClients, ApiGateClient } from '../../../src/api/details.ts';
import type { ApiGate } from '../../../src/api/view.ts';
import { RestartButton } from '../actions/restart-button.tsx';
import { ago, bytes, count, duration, plural } from '../data/format.ts';
import { usePage } from '../data/page-state.ts';
import { useWanted } from '../data/route.ts';
import { useAnswer } from '../data/use-answer.ts';
import { Alert, Card, Empty, Pairs, Waiting } from '../parts/card.tsx';
import { Badge } from '../parts/sign.tsx';
import { type Column, LongTable, TwoLines } from '../parts/table.tsx';
import { toneOf } from '../parts/tones.ts';
import { usePhone } from '../parts/use-phone.ts';
import { whenOr } from '../parts/when.tsx';
import { Shares } from './shares.tsx';

export function GatesPage({ id }: { id: string | null }) {
  const view = usePage((state) => state.view);
  if (!view) return null;
  const gates = id === null ? view.gates : view.gates.filter((gate) => gate.id === id);
  return (
    <>
      {view.gates.length === 0 && <Empty title="The spec has no gate" />}
      {id !== null && (
        <p>
          <a href="#/gates">All gates</a>
        </p>
      )}
      {gates.map((gate) => (
        <Gate key={gate.id} gate={gate} />
      ))}
      <Clients gate={id} />
    </>
  );
}

function Gate({ gate }: { gate: ApiGate }) {
  const { read, write } = gate.latency;
  return (
    <Card
      title={gate.id}
      end={
        <div className="row">
          <Badge tone={toneOf(gate.state)}>{gate.state}</Badge>
          <RestartButton process={gate} about={gate.id} />
        </div>
      }
    >
      <div className="stack">
        {gate.reason !== null && <p className="note">{gate.reason}</p>}
        {gate.ageMs !== null && <p className="note">Seen {ago(gate.ageMs)}.</p>}
        <Pairs
          pairs={[
            ['Read-write port', `${gate.address}:${gate.port}`],
            ['Read-only port', gate.replicaPort === null ? 'none' : `${gate.address}:${gate.replicaPort}`],
            ['Writes go to', gate.primary ?? 'nobody'],
            ['Since', whenOr(gate.primarySince)],
            ['Clients', `${count(gate.clients)}, ${count(gate.held)} held`],
            ['Commands', `${count(gate.commandsPerSecond)}/s, ${count(gate.errorsPerSecond)} errors/s`],
            [
              'Reads',
              read === null
                ? 'none in the last second'
                : `p50 ${duration(read.p50Ms)}, p99 ${duration(read.p99Ms)}`,
            ],
            [
              'Writes',
              write === null
                ? 'none in the last second'
                : `p50 ${duration(write.p50Ms)}, p99 ${duration(write.p99Ms)}`,
            ],
            ['Traffic', `${bytes(gate.bytesInPerSecond)}/s in, ${bytes(gate.bytesOutPerSecond)}/s out`],
            [
              'Connections',
              gate.connections === null
                ? '–'
                : `${gate.connections.shared} shared, ${gate.connections.private} private`,
            ],
            ['Uncertain writes', count(gate.uncertain)],
            [
              'Costs',
              `${bytes(gate.memoryBytes)}, ${gate.cpuShare === null ? '–' : `${(gate.cpuShare * 100).toFixed(0)} % of a core`}`,
            ],
          ]}
        />
        <div className="columns three">
          <Shares title="Requests by class, in the last second" amounts={gate.classes} empty="No requests" />
          <Shares title="Commands since it started" amounts={gate.commands} empty="No commands" />
          <Shares title="Error replies since it started" amounts={gate.errors} empty="No errors" />
        </div>
      </div>
    </Card>
  );
}

const columns: readonly Column<ApiGateClient>[] = [
  { name: 'Client', width: 19, texts: ({ address }) => [address], cell: ({ address }) => address },
  { name: 'Name', width: 19, texts: ({ name }) => [name], cell: ({ name }) => name || '–' },
  { name: 'User', width: 11, texts: ({ user }) => [user], cell: ({ user }) => user },
  { name: 'Gate', width: 11, texts: ({ gate }) => [gate], cell: ({ gate }) => gate },
  { name: 'Port', width: 10, cell: ({ port }) => port },
  {
    ...{ name: 'Last command', width: 12, texts: ({ lastCommand }) => [lastCommand] },
    cell: ({ lastCommand }) => lastCommand || '–',
  },
  { name: 'Connected', width: 10, figure: true, cell: ({ ageMs }) => duration(ageMs) },
  { name: 'Held', width: 8, cell: ({ held }) => (held ? 'held' : '–') },
];

const whose = ({ name, address, user }: ApiGateClient) => [name || user, address] as const;
const what = ({ lastCommand, port, held }: ApiGateClient) =>
  [lastCommand || '–', held ? 'held' : port] as const;
const phoneColumns: readonly Column<ApiGateClient>[] = [
  { name: 'Client', width: 60, texts: whose, cell: (client) => <TwoLines texts={whose(client)} /> },
  { name: 'Port', figure: true, texts: what, cell: (client) => <TwoLines texts={what(client)} /> },
];

function Clients({ gate }: { gate: string | null }) {
  const isPhone = usePhone();
  const [wanted, setWanted] = useWanted();
  const { value, refusal } = useAnswer<ApiClients>('api/clients', 1000);
  if (value === null) {
    return refusal ? (
      <Alert title={refusal.message} />
    ) : (
      <Waiting what="The gates are asked for their clients." />
    );
  }
  const word = wanted.trim().toLowerCase();
  const found = value.clients.filter(
    (client) =>
      (gate === null || client.gate === gate) &&
      `${client.address} ${client.name} ${client.user}`.toLowerCase().includes(word),
  );
  return (
    <Card
      title="Clients"
      end={
        <div className="row">
          <span className="note">{plural(found.length, 'client')}</span>
          <input
            type="search"
            placeholder="Find"
            aria-label="Find clients"
            value={wanted}
            onChange={({ target }) => setWanted(target.value)}
          />
        </div>
      }
    >
      {value.missing.map(({ gate: id, why }) => (
        <p key={id} className="note">
          The clients of {id} are not known: {why}
        </p>
      ))}
      {found.length === 0 ? (
        <Empty title={word === '' ? 'No client is connected' : 'No client is called that'} />
      ) : (
        <LongTable
          caption="Clients"
          columns={isPhone ? phoneColumns : columns}
          rows={found}
          keyOf={({ gate: id, address }) => `${id} ${address}`}
        />
      )}
    </Card>
  );
}

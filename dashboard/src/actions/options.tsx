import type { ApiOperation } from '../../../src/api/jobs.ts';
import type { ApiView } from '../../../src/api/view.ts';
import { AgentLink } from './restart-button.tsx';

interface Props {
  operation: ApiOperation;
  view: ApiView;
  onChange: (operation: ApiOperation) => void;
}

/** What can be chosen of an operation. */
export function Options({ operation, view, onChange }: Props) {
  switch (operation.kind) {
    case 'switchover':
    case 'failover': {
      const { kind, to: chosen = '' } = operation;
      const choose = (to: string) => onChange({ kind, ...(to === '' ? {} : { to }) });
      const choices = [['', 'The best replica'] as const, ...replicasOf(view), ...leadOf(kind, view)];
      return <Choice label="New primary" value={chosen} onChoose={choose} choices={choices} />;
    }
    case 'restart': {
      const choose = (process: string) =>
        onChange({ kind: 'restart', ...(process === '' ? {} : { process }) });
      const chosen = view.members.find(({ id }) => id === operation.process);
      return (
        <div className="stack">
          <Choice
            label="What"
            value={operation.process ?? ''}
            onChoose={choose}
            choices={[['', `All members of ${hereOf(view)}, one after the other`], ...processesHere(view)]}
          />
          <Elsewhere view={view} />
          {/* The guard of the data refused to start it. */}
          {chosen?.refusalCode?.startsWith('would-') && (
            <Tick
              label={`Start ${chosen.id} as it is, though data is lost`}
              on={operation.acceptDataLoss ?? false}
              onTick={(acceptDataLoss) => onChange({ ...operation, acceptDataLoss })}
            />
          )}
        </div>
      );
    }
    case 'restore':
      return (
        <div className="stack">
          <p>
            Backup <code>{operation.backup}</code>
          </p>
          <Tick
            label="Replace the keys that are there"
            on={operation.replace ?? false}
            onTick={(replace) => onChange({ ...operation, replace })}
          />
          <Tick
            label="Take a backup of what is there before"
            on={operation.safetyBackup ?? true}
            onTick={(safetyBackup) => onChange({ ...operation, safetyBackup })}
          />
        </div>
      );
    case 'verify':
      return (
        <p>
          Backup <code>{operation.backup}</code>
        </p>
      );
    default:
      return null;
  }
}

type Choices = readonly (readonly [value: string, text: string])[];

function replicasOf({ members, primary }: ApiView): Choices {
  return members
    .filter(({ id }) => id !== primary)
    .map(({ id, state, eligible }) => [id, `${id} (${state}${eligible === false ? ', not eligible' : ''})`]);
}

/** Where nobody votes, a failover to the one that leads has it lead alone: writes wait for no other any more. */
function leadOf(kind: ApiOperation['kind'], { sentinels, primary }: ApiView): Choices {
  const is = kind === 'failover' && sentinels.length === 0 && primary !== null;
  return is ? [[primary, `${primary} (leads on alone)`]] : [];
}

/** An agent restarts what is of its own host only. */
function processesHere({ host, members, sentinels, gates }: ApiView): Choices {
  return [...members, ...sentinels, ...gates]
    .filter((each) => each.host === host)
    .map(({ id }) => [id, id] as const);
}

function hereOf({ host, hosts }: ApiView): string {
  return hosts.length > 1 ? `host ${host}` : 'this host';
}

/** Where what is not in the list is restarted. */
function Elsewhere({ view: { host, hosts } }: { view: ApiView }) {
  const others = hosts.filter(({ id }) => id !== host);
  if (others.length === 0) return null;
  return (
    <div className="note">
      <p>This is the page of {host}. An agent restarts what is of its own host; for others:</p>
      <ul className="sentences">
        {others.map(({ id }) => (
          <li key={id}>
            <AgentLink host={id} />
          </li>
        ))}
      </ul>
    </div>
  );
}

/** What is chosen stands in it, also when it can't be chosen any more: nothing else is what would be done. */
function Choice({
  label,
  value,
  onChoose,
  choices,
}: {
  label: string;
  value: string;
  onChoose: (value: string) => void;
  choices: Choices;
}) {
  const isThere = choices.some(([each]) => each === value);
  return (
    <label className="field">
      {label}
      <select value={value} onChange={({ target }) => onChoose(target.value)}>
        {!isThere && <option value={value}>{value} (not to be chosen now)</option>}
        {choices.map(([each, text]) => (
          <option key={each} value={each}>
            {text}
          </option>
        ))}
      </select>
    </label>
  );
}

function Tick({ label, on, onTick }: { label: string; on: boolean; onTick: (on: boolean) => void }) {
  return (
    <label className="tick">
      <input type="checkbox" checked={on} onChange={({ target }) => onTick(target.checked)} />
      {label}
    </label>
  );
}

import type { ReactNode } from 'react';
import type { ApiOperation } from '../../../src/api/jobs.ts';
import type { ApiView } from '../../../src/api/view.ts';

interface Props {
  operation: ApiOperation;
  view: ApiView;
  onChange: (operation: ApiOperation) => void;
}

/** What can be chosen of an operation. */
export function Options({ operation, view, onChange }: Props) {
  switch (operation.kind) {
    case 'switchover': {
      const replicas = view.members.filter(({ id }) => id !== view.primary);
      const choose = (to: string) => onChange({ kind: 'switchover', ...(to === '' ? {} : { to }) });
      return (
        <Choice label="New primary" value={operation.to ?? ''} onChoose={choose}>
          <option value="">The best replica</option>
          {replicas.map(({ id, state, eligible }) => (
            <option key={id} value={id}>
              {id} ({state}
              {eligible === false ? ', not eligible' : ''})
            </option>
          ))}
        </Choice>
      );
    }
    case 'restart': {
      const choose = (process: string) =>
        onChange({ kind: 'restart', ...(process === '' ? {} : { process }) });
      const chosen = view.members.find(({ id }) => id === operation.process);
      return (
        <div className="stack">
          <Choice label="What" value={operation.process ?? ''} onChoose={choose}>
            <option value="">All members of this host, one after the other</option>
            {[...view.members, ...view.sentinels, ...view.gates].map(({ id }) => (
              <option key={id} value={id}>
                {id}
              </option>
            ))}
          </Choice>
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

function Choice({
  label,
  value,
  onChoose,
  children,
}: {
  label: string;
  value: string;
  onChoose: (value: string) => void;
  children: ReactNode;
}) {
  return (
    <label className="field">
      {label}
      <select value={value} onChange={({ target }) => onChoose(target.value)}>
        {children}
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

import { createContext, type ReactNode, useContext, useState } from 'react';
import type { ApiOperation } from '../../../src/api/jobs.ts';
import { ActionDialog } from './action-dialog.tsx';
import { wordsOf } from './describe.ts';

const Open = createContext<(operation: ApiOperation) => void>(() => {});

/** Shows the dialogue of whatever action is opened below it. */
export function Actions({ children }: { children: ReactNode }) {
  const [operation, setOperation] = useState<ApiOperation | null>(null);
  return (
    <Open value={setOperation}>
      {children}
      {operation && (
        <ActionDialog operation={operation} onChange={setOperation} onClose={() => setOperation(null)} />
      )}
    </Open>
  );
}

/** Opens an action: nothing happens before it is approved there. */
export function ActionButton({
  operation,
  label,
  about = '',
  small = false,
}: {
  operation: ApiOperation;
  label?: string;
  /** Whom it is about, for those who hear the button and see no row around it. */
  about?: string;
  small?: boolean;
}) {
  const open = useContext(Open);
  return (
    <button
      type="button"
      className={small ? 'small' : ''}
      aria-haspopup="dialog"
      onClick={() => open(operation)}
    >
      {label ?? wordsOf(operation).title}
      {about !== '' && <span className="unseen"> {about}</span>}
    </button>
  );
}

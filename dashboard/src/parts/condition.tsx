import { ago, duration } from '../data/format.ts';
import { Badge } from './sign.tsx';
import { toneOf } from './tones.ts';

interface Conditioned {
  state: string;
  reason: string | null;
  stateForMs: number | null;
  ageMs: number | null;
}

/** How a process is, since when, and what is known of why. */
export function Condition({ of: { state, reason, stateForMs, ageMs } }: { of: Conditioned }) {
  const since =
    stateForMs !== null ? ` for ${duration(stateForMs)}` : ageMs === null ? '' : ` seen ${ago(ageMs)}`;
  return (
    <>
      <Badge tone={toneOf(state)}>{state}</Badge>
      {since !== '' && <span className="note">{since}</span>}
      {reason !== null && <span className="note reason">{reason}</span>}
    </>
  );
}

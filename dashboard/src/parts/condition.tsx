import { ago, duration } from '../data/format.ts';
import { Badge } from './sign.tsx';
import { toneOf } from './tones.ts';

interface Conditioned {
  id: string;
  state: string;
  reason: string | null;
  stateForMs: number | null;
  ageMs: number | null;
  /** Of a member: what keeps it from serving, also while it answers. */
  trouble?: string | null;
  refusal?: string | null;
}

/** How a process is, since when, and what is known of why. */
export function Condition({ of: conditioned }: { of: Conditioned }) {
  const { state, reason, stateForMs, ageMs } = conditioned;
  const trouble = troubleOf(conditioned);
  const tone = trouble !== null && toneOf(state) === 'good' ? 'warn' : toneOf(state);
  const since =
    stateForMs !== null ? `for ${duration(stateForMs)}` : ageMs === null ? '' : `seen ${ago(ageMs)}`;
  return (
    <>
      <Badge tone={tone}>{state}</Badge> {since !== '' && <span className="note since">{since}</span>}
      {[reason, trouble]
        .filter((text) => text !== null)
        .map((text) => (
          <span key={text} className="note reason">
            {text}
          </span>
        ))}
    </>
  );
}

/** In words that its reason does not say already, and without its name, which stands beside it. */
export function troubleOf({
  id,
  reason,
  trouble,
  refusal,
}: Pick<Conditioned, 'id' | 'reason' | 'trouble' | 'refusal'>): string | null {
  const text = trouble ?? refusal ?? null;
  return text === null || text === reason ? null : text.replace(`${id}: `, '');
}

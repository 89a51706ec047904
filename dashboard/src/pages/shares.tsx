import { count } from '../data/format.ts';

const most = 8;

/** Amounts beside each other, the largest first. */
export function Shares({
  title,
  amounts,
  empty,
}: {
  title: string;
  amounts: Readonly<Record<string, number>>;
  empty: string;
}) {
  const sorted = Object.entries(amounts)
    .filter(([, amount]) => amount > 0)
    .toSorted(([, a], [, b]) => b - a);
  const largest = sorted[0]?.[1] ?? 1;
  return (
    <section aria-label={title}>
      <h3>{title}</h3>
      {sorted.length === 0 && <p className="note">{empty}</p>}
      <ul className="shares">
        {sorted.slice(0, most).map(([name, amount]) => (
          <li key={name}>
            <span>{name}</span>
            <span className="figure">{count(amount)}</span>
            <span className="bar" aria-hidden="true">
              <span style={{ width: `${(100 * amount) / largest}%` }} />
            </span>
          </li>
        ))}
        {sorted.length > most && <li className="note">and {sorted.length - most} more</li>}
      </ul>
    </section>
  );
}

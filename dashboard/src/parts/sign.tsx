/** Small signs. Each tone has a shape of its own, so that nothing is said by colour alone. */
export type Tone = 'good' | 'warn' | 'bad' | 'accent' | 'off';

const shapes: Readonly<Record<Tone, string>> = {
  good: 'M2.5 8.5l3.5 3.5L13.5 4.5',
  warn: 'M8 1.8L15 14H1zM8 6v4M8 11.6v.8',
  bad: 'M3 3l10 10M13 3L3 13',
  accent: 'M3 8h9M8.5 3.5L13 8l-4.5 4.5',
  off: 'M8 2.5a5.5 5.5 0 1 0 .01 0z',
};

/** Its meaning stands in words beside it. */
export function Sign({ tone }: { tone: Tone }) {
  return (
    <svg className="sign" viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      <path
        d={shapes[tone]}
        fill="none"
        stroke="currentColor"
        strokeWidth="2.2"
        strokeLinecap="round"
        strokeLinejoin="round"
      />
    </svg>
  );
}

export function Badge({ tone, children }: { tone: Tone; children: string }) {
  return (
    <span className={`badge ${tone}`}>
      <Sign tone={tone} />
      {children}
    </span>
  );
}

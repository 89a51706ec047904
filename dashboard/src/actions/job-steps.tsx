import { useEffect, useRef } from 'react';
import type { ApiJob } from '../../../src/api/jobs.ts';
import { duration } from '../data/format.ts';
import { Alert } from '../parts/card.tsx';
import { Badge } from '../parts/sign.tsx';
import { toneOf } from '../parts/tones.ts';

/** What a job did so far, each step with its time from the begin on. */
export function JobSteps({ job }: { job: ApiJob }) {
  const end = useRef<HTMLLIElement>(null);
  const many = job.steps.length;
  // biome-ignore lint/correctness/useExhaustiveDependencies: with each step the newest comes in sight.
  useEffect(() => {
    end.current?.scrollIntoView({ block: 'nearest' });
  }, [many]);
  const since = Date.parse(job.startedAt);
  const result = resultText(job.result);
  return (
    // Who approved by keyboard goes on from here: the button that was pressed is gone.
    <section className="stack" tabIndex={-1} data-focus-rests aria-label={`What is done: ${job.kind}`}>
      <p className="row">
        <Badge tone={toneOf(job.state)}>{job.state}</Badge>
        {job.endedAt !== null && <span>in {duration(Date.parse(job.endedAt) - since)}</span>}
      </p>
      {job.progress !== null && job.state === 'running' && (
        <progress max={1} value={job.progress} aria-label="How much is done" />
      )}
      <ol className="steps" aria-live="polite">
        {job.steps.map(({ at, text }, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: steps are only put behind each other.
          <li key={index} ref={index === many - 1 ? end : null}>
            <span className="at">+{duration(Math.max(0, Date.parse(at) - since))}</span>
            <span>{text}</span>
          </li>
        ))}
      </ol>
      {job.error && <Alert title={job.error.message}>{job.error.hint && <p>{job.error.hint}</p>}</Alert>}
      {result.length > 0 && (
        <dl className="result">
          {result.map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
      )}
    </section>
  );
}

/** The simple fields of a result; a list is for the page that it belongs to. */
function resultText(result: unknown): [name: string, value: string][] {
  if (typeof result !== 'object' || result === null || Array.isArray(result)) return [];
  return Object.entries(result).flatMap(([name, value]): [string, string][] => {
    if (typeof value === 'number' && name.endsWith('Ms'))
      return [[words(name.slice(0, -2)), duration(value)]];
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') {
      return [[words(name), String(value)]];
    }
    return [];
  });
}

function words(name: string): string {
  return name.replace(/([A-Z])/g, ' $1').toLowerCase();
}

import type { ApiDoctor, ApiFinding } from '../../../src/api/findings.ts';
import { ActionButton } from '../actions/open-action.tsx';
import { plural } from '../data/format.ts';
import { useAnswer } from '../data/use-answer.ts';
import { Alert, Card, Empty, Waiting } from '../parts/card.tsx';
import { Badge } from '../parts/sign.tsx';
import { toneOf } from '../parts/tones.ts';
import { When } from '../parts/when.tsx';

export function DoctorPage() {
  const { value, refusal } = useAnswer<ApiDoctor>('api/doctor', 30_000);
  return (
    <Card
      title="What doctor finds"
      end={<ActionButton operation={{ kind: 'doctor' }} label="Run doctor…" small />}
    >
      {refusal && <Alert title={refusal.message}>{refusal.hint && <p>{refusal.hint}</p>}</Alert>}
      {value === null ? !refusal && <Waiting what="Doctor looks." lines={6} /> : <Findings doctor={value} />}
    </Card>
  );
}

function Findings({ doctor: { at, findings, missing } }: { doctor: ApiDoctor }) {
  const wrong = findings.filter(({ severity }) => severity === 'critical' || severity === 'warning');
  const rest = findings.filter(({ severity }) => severity === 'ok' || severity === 'skipped');
  return (
    <div className="stack">
      <p className="note">
        Looked at <When at={at} />: {plural(wrong.length, 'thing')} to look at, {rest.length} without a
        finding.
      </p>
      {missing.map(({ host, why }) => (
        <Alert key={host} title={`Not known of ${host}: ${why}`} />
      ))}
      {wrong.length === 0 && (
        <Empty title="Nothing to do">
          <p>Whatever doctor looked at is as it should be.</p>
        </Empty>
      )}
      <ul className="findings">
        {wrong.map((finding) => (
          <Finding key={keyOf(finding)} finding={finding} />
        ))}
      </ul>
      {rest.length > 0 && (
        <details>
          <summary>{plural(rest.length, 'other')}</summary>
          <ul className="findings">
            {rest.map((finding) => (
              <Finding key={keyOf(finding)} finding={finding} />
            ))}
          </ul>
        </details>
      )}
    </div>
  );
}

function keyOf({ check, host, subject, found }: ApiFinding): string {
  return [check, host, subject, found].join(' ');
}

function Finding({
  finding: { check, severity, host, subject, found, why, fix, fixable, link },
}: {
  finding: ApiFinding;
}) {
  const where = [host, subject].filter((text) => text !== null && text !== '').join(', ');
  return (
    <li>
      <Badge tone={toneOf(severity)}>{severity}</Badge>
      <div>
        <p>
          <b>{found}</b>
          {where !== '' && <span className="note"> ({where})</span>}
        </p>
        {severity !== 'ok' && <p className="note">{why}</p>}
        {fix !== null && (
          <p>
            <span className="unseen">Fix: </span>
            {/[.!?]$/.test(fix) ? fix : `${fix}.`}
            {fixable && (
              <>
                {' '}
                <code>holdfast doctor --fix</code> does it.
              </>
            )}
          </p>
        )}
        <p className="note">
          <code>{check}</code>
          {/^https:/.test(link) && (
            <>
              {' · '}
              <a href={link} target="_blank" rel="noreferrer">
                read more
              </a>
            </>
          )}
        </p>
      </div>
    </li>
  );
}

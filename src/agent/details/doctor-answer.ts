/** What `holdfast doctor --json` prints, as the API tells it. */
import { z } from 'zod';
import { type ApiDoctor, type ApiFinding, doctorSchema } from '../../api/findings.ts';
import { type Said, understood } from '../picture/understood.ts';

const printedSchema = z.object({
  results: z.array(
    z.object({
      id: z.string(),
      severity: z.enum(['critical', 'warning', 'ok', 'skipped']),
      subject: z.string().optional(),
      found: z.string(),
      why: z.string(),
      fix: z.string().optional(),
      link: z.string(),
      scope: z.enum(['host', 'deployment']),
      fixable: z.boolean(),
    }),
  ),
});

const order: readonly ApiFinding['severity'][] = ['critical', 'warning', 'skipped', 'ok'];

/** @param host whose doctor it was. @throws Error when it is something else */
export function findingsIn(printed: unknown, host: string): ApiFinding[] {
  return printedSchema.parse(printed).results.map(({ id, scope, subject, fix, ...finding }) => ({
    ...finding,
    check: id,
    host: scope === 'host' ? host : null,
    subject: subject ?? null,
    fix: fix ?? null,
  }));
}

/** Critical first; within that as the checks stand. */
export function bySeverity(findings: readonly ApiFinding[]): ApiFinding[] {
  return findings.toSorted((a, b) => order.indexOf(a.severity) - order.indexOf(b.severity));
}

/** @param told by host, what doctor found on the others */
export function doctorOfAll(own: ApiDoctor, told: ReadonlyMap<string, Said>): ApiDoctor {
  const findings = [...own.findings];
  const missing = [...own.missing];
  for (const [host, said] of told) {
    const read = understood(said, doctorSchema);
    // What it found of the deployment, this host found too.
    if ('answer' in read) findings.push(...read.answer.findings.filter((each) => each.host === host));
    else missing.push({ host, why: read.missing });
  }
  return { at: own.at, findings: bySeverity(findings), missing };
}

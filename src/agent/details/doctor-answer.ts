/** What `holdfast doctor --json` prints, as the API tells it. */
import { z } from 'zod';
import type { ApiFinding } from '../../api/findings.ts';

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

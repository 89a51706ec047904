import type { Fix } from './fix.ts';

/** critical: data or service will be lost; warning: it will hurt on a bad day; ok: it was looked at; skipped: it couldn't be. */
export type Severity = 'critical' | 'warning' | 'ok' | 'skipped';

/** What a check says of one thing that it looked at. */
export interface Finding {
  severity: Severity;
  /** What was looked at: a member, a Sentinel, a file; empty for the host as a whole. */
  subject?: string;
  /** What was found, as a sentence with the figures. */
  found: string;
  /** What to do about it, as a sentence. Not for ok. */
  fix?: string;
  /** How `doctor --fix` does it. */
  repair?: Fix;
}

/** One check: one file. `facts` is all that it may look at, so that tests can show it any state. */
export interface Check<Facts> {
  /** Kebab-case, unique; stable, because people filter by it. */
  readonly id: string;
  /** Why it matters, in one sentence. */
  readonly why: string;
  /** Where to read more. */
  readonly link: string;
  look(facts: Facts): Finding[];
}

export interface Result extends Finding {
  id: string;
  why: string;
  link: string;
}

export function runChecks<Facts>(checks: readonly Check<Facts>[], facts: Facts): Result[] {
  return checks.flatMap((check) =>
    check.look(facts).map((finding) => ({ id: check.id, why: check.why, link: check.link, ...finding })),
  );
}

export function ok(found: string, subject?: string): Finding {
  return { severity: 'ok', found, ...(subject === undefined ? {} : { subject }) };
}

export function skipped(found: string, subject?: string): Finding {
  return { severity: 'skipped', found, ...(subject === undefined ? {} : { subject }) };
}

/** What doctor finds, what the store of backups holds, what the spec says, which drills were run. */
import { z } from 'zod';
import { amount, count, flag, id, orNull, text, time } from './fields.ts';
import { driftSchema } from './view.ts';

export const findingSchema = z
  .object({
    check: id('The id of the check, stable.'),
    severity: z
      .enum(['critical', 'warning', 'ok', 'skipped'])
      .describe('skipped: it could not be looked at.'),
    host: orNull(id('The host that it is about; null for the deployment.')),
    subject: orNull(text('What was looked at.')),
    found: text('What was found.'),
    why: text('Why it matters.'),
    fix: orNull(text('What to do.')),
    link: text('Where to read more.'),
    fixable: flag('holdfast doctor --fix does it.'),
  })
  .describe('What a check of doctor found.');

const missing = z
  .array(z.object({ host: id('Which.'), why: text('Why.') }))
  .describe('Hosts whose answer is missing.');

export const doctorSchema = z
  .object({
    at: time('When it was looked.'),
    findings: z.array(findingSchema).describe('Critical first.'),
    missing,
  })
  .describe('What doctor finds on all hosts.');

const backup = z
  .object({
    id: id('Its id.'),
    startedAt: time('When it was begun.'),
    durationMs: amount('How long it took.'),
    keys: count('Keys in it.'),
    rdbBytes: amount('Of the RDB.'),
    storedBytes: amount('As it is stored.'),
    source: id('The member that it was taken from.'),
    reason: z.enum(['manual', 'schedule', 'before-restore']).describe('Why it was taken.'),
    serverVersion: text('"redis 7.0.15".'),
    compression: z.enum(['none', 'gzip', 'zstd']).describe('How it is packed.'),
    encrypted: flag('It needs an age identity to be read.'),
    verified: orNull(
      z.object({
        at: time('When.'),
        good: flag('It is good.'),
        problems: z.array(z.string()).describe('What is wrong with it.'),
      }),
    ),
  })
  .describe('A backup in the store.');

export const backupsSchema = z
  .object({
    store: orNull(text('Where; null: the spec names no store.')),
    schedule: orNull(text('As cron has it.')),
    backups: z.array(backup).describe('Newest first.'),
    broken: z.array(z.object({ id: id('Which.'), why: text('Why.') })).describe('What can not be used.'),
  })
  .describe('What lies in the store.');

export const specSchema = z
  .object({
    spec: z
      .record(z.string(), z.unknown())
      .describe('The spec as it is applied, with its defaults. No passwords.'),
    drift: z.array(driftSchema),
    missing,
  })
  .describe('What the spec says, and what differs from it.');

export const drillsSchema = z
  .object({
    scenarios: z.array(z.object({ name: id('Its name.'), about: text('What is done and promised.') })),
    runs: z
      .array(
        z.object({
          id: id('Of the job.'),
          // An agent of a release before this one tells its own only, without this.
          host: id('On which it was run.').default(''),
          scenario: id('Which.'),
          at: time('When.'),
          kept: orNull(flag('Every promise was kept; null when it did not come to its end.')),
          page: orNull(
            text('Path of its page, under /api; null without one, and for one that lies on another host.'),
          ),
        }),
      )
      .describe('Newest first.'),
    missing: missing.default([]),
  })
  .describe('Drills that were run from the agents of all hosts.');

export type ApiFinding = z.infer<typeof findingSchema>;
export type ApiDoctor = z.infer<typeof doctorSchema>;
export type ApiBackups = z.infer<typeof backupsSchema>;
export type ApiSpec = z.infer<typeof specSchema>;
export type ApiDrills = z.infer<typeof drillsSchema>;

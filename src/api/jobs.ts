/** What is asked of a deployment runs as a job: with steps, a result, and an end that can be asked for. */
import { z } from 'zod';
import { errorSchema } from './errors.ts';
import { amount, flag, id, orNull, text, time } from './fields.ts';

const process = z.string().min(1).max(100);
const backup = z
  .string()
  .max(100)
  .regex(/^redis_[0-9A-Za-z_-]+$/, { error: 'the id of a backup, as GET /api/backups lists them' });

const switchover = z
  .strictObject({
    kind: z.literal('switchover'),
    to: process.optional().describe('The replica that becomes primary; left out: the best one.'),
  })
  .describe('Moves the primary elsewhere, as planned: no client error, no lost write.');

const failover = z
  .strictObject({
    kind: z.literal('failover'),
    to: process
      .optional()
      .describe(
        'The member that becomes primary; left out: the one that has most. Where there are no Sentinels it may be the one that leads: it leads on alone then.',
      ),
  })
  .describe('Forces another primary, without draining the one that is.');

const restart = z
  .strictObject({
    kind: z.literal('restart'),
    process: process
      .optional()
      .describe(
        'A member, Sentinel or gate of the host that is asked; left out: all its members, one after the other.',
      ),
    acceptDataLoss: z
      .boolean()
      .optional()
      .describe('Start a member that was refused because its data is gone or old, as it is.'),
  })
  .describe('Restarts safely: replicas first, then a switchover, then the old primary.');

const restore = z
  .strictObject({
    kind: z.literal('restore'),
    backup,
    replace: z
      .boolean()
      .optional()
      .describe('Replace the keys that are there; refused without it when there are any.'),
    safetyBackup: z.boolean().optional().describe('Take a backup before; left out: yes.'),
  })
  .describe('Brings a backup into the running deployment.');

const simple = <K extends string>(kind: K, about: string) =>
  z.strictObject({ kind: z.literal(kind) }).describe(about);

export const operationSchema = z
  .discriminatedUnion('kind', [
    switchover,
    failover,
    restart,
    simple('pause', 'Suspends automatic actions.'),
    simple('resume', 'Lets automatic actions go on.'),
    simple('backup', 'Takes a backup now, into the store of the spec.'),
    z
      .strictObject({ kind: z.literal('verify'), backup })
      .describe('Restores a backup into a scratch server and compares.'),
    restore,
    simple('doctor', 'Checks host and settings anew.'),
    z
      .strictObject({
        kind: z.literal('drill'),
        scenario: z.string().min(1).max(50).describe('Its name: holdfast drill --help lists them.'),
      })
      .describe(
        'Makes a failure on purpose, in a deployment of its own on this host, and accounts for every write.',
      ),
  ])
  .describe('What is to be done.');

export const planSchema = z
  .object({
    allowed: flag('It may be done now.'),
    why: orNull(text('Why not.')),
    hint: orNull(text('What to do about that.')),
    will: z.array(z.string()).describe('What will happen, a sentence each.'),
    warnings: z.array(z.string()).describe('What to know before.'),
    cancellable: flag('It can be given up while it runs.'),
    basis: text(
      'What this rests on, such as "redis-1 is primary". Sent along with the operation, that is refused when it rests on something else by then.',
    ),
  })
  .describe(
    'What an operation would do. Nothing is changed; what is allowed is looked at again when it is done.',
  );

export const beginQuerySchema = z.strictObject({
  basis: z
    .string()
    .max(300)
    .optional()
    .describe(
      'Of the plan that was approved: 409 (PLAN_CHANGED) when the operation would do something else by now. Left out: it is done as it is then.',
    ),
});

export const jobSchema = z
  .object({
    id: id('Its id.'),
    // An agent of an earlier release tells its own, without this.
    host: id('Whose agent carries it out.').default(''),
    kind: id('What is done: the kind of the operation.'),
    request: z.record(z.string(), z.unknown()).describe('The operation as it was asked for.'),
    by: text('Who asked: the name of a token, or the owner.'),
    state: z.enum(['running', 'done', 'failed', 'cancelled']).describe('How it is.'),
    startedAt: time('When it began.'),
    endedAt: orNull(time('When it ended.')),
    steps: z
      .array(z.object({ at: time('When.'), text: text('What.') }))
      .describe('What it did so far; the newest 500.'),
    progress: orNull(amount('From 0 to 1, where that is known.')),
    result: z.unknown().describe('What came of it; null before.'),
    error: orNull(errorSchema),
    cancellable: flag('It can be given up now.'),
  })
  .describe('An operation that runs or ran. The last 100 are kept as long as the agent runs.');

export const jobsSchema = z
  .object({
    jobs: z.array(jobSchema).describe('Newest first; of each the newest 100 steps.'),
    missing: z
      .array(z.object({ host: id('Which.'), why: text('Why.') }))
      .describe('Hosts whose answer is missing.'),
  })
  .describe('The jobs of all agents.');

export type ApiJobs = z.infer<typeof jobsSchema>;
export type ApiOperation = z.infer<typeof operationSchema>;
export type ApiPlan = z.infer<typeof planSchema>;
export type ApiJob = z.infer<typeof jobSchema>;

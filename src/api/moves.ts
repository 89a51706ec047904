/** Data on its way: migrations into the deployment, and mirrors of it elsewhere. */
import { z } from 'zod';
import { amount, count, flag, id, orNull, text, time } from './fields.ts';

/** Longer words of others are cut. */
const words = (about: string) => z.string().max(1000).describe(about);

const missing = z
  .array(z.object({ host: id('Which.'), why: text('Why.') }))
  .describe('Hosts whose answer is missing.');

const copying = {
  keys: count('Keys copied by the copy under way, or by the last one.'),
  bytes: amount('Bytes of it that were read.'),
  totalBytes: orNull(amount('Of how many; null where nobody can tell.')),
  bytesPerSecond: amount('Read a second, over the last ten.'),
  secondsLeft: orNull(amount('Of the copy, or of the comparison behind it; null where nobody can tell.')),
  lagBytes: orNull(amount('Behind its source; null when that is not known.')),
  lagMs: orNull(amount('The same as time: how long ago its source was where it is now.')),
  problem: orNull(words('Why it waits, or failed.')),
};

export const mirrorSchema = z
  .object({
    name: id('Its name in the spec.'),
    to: words('Where it writes.'),
    host: orNull(id('The host that runs it: that of the primary; null while nobody knows the primary.')),
    state: z
      .enum([
        ...(['paused', 'failed', 'starting', 'connecting', 'removing'] as const),
        ...(['copying', 'following', 'waiting', 'ended', 'unknown'] as const),
      ])
      .describe(
        'How it is. following: all is copied, and each write follows. unknown: its host does not say.',
      ),
    ...copying,
    queueBytes: orNull(amount('What waits at its host to be applied; null where no process knows.')),
    queueMs: orNull(amount('For how long the first of that has waited.')),
  })
  .describe('A copy elsewhere that follows the deployment.');

const answered = {
  errors: z.record(z.string(), count('So many.')).describe('Error replies, by their first word.'),
  readP99Ms: amount('Of a hundred that only read, 99 were answered within so long.'),
  writeP99Ms: amount('The same of those that may write.'),
};

export const requestMirrorSchema = z
  .object({
    host: id('The host whose gates say so.'),
    name: id('Its name in the spec.'),
    to: words('Where copies are sent.'),
    state: z
      .enum(['open', 'waiting', 'unknown'])
      .describe('waiting: it can’t be reached, and copies are dropped. unknown: no gate of the host says.'),
    problem: orNull(words('Why it waits.')),
    copied: count('Requests that were sent there.'),
    dropped: count('Requests that were to be copied and were not.'),
    failed: count('Copies that were not answered.'),
    ...answered,
    own: orNull(z.object(answered).describe('The same of clients’ own requests; null when no gate says.')),
  })
  .describe('A server that gets copies of clients’ requests, as the gates of one host know it.');

export const mirrorsSchema = z
  .object({
    mirrors: z.array(mirrorSchema).describe('In the order of the spec.'),
    requests: z
      .array(requestMirrorSchema)
      .default([])
      .describe('Those with how: requests, once for each host that has a gate.'),
    missing,
  })
  .describe('The mirrors of the spec.');

const migrationSource = z
  .object({
    source: words('As it was named.'),
    at: words('Where it is read from now.'),
    phase: z
      .enum([
        ...(['connecting', 'removing', 'copying', 'comparing'] as const),
        ...(['following', 'waiting', 'done', 'ended'] as const),
      ])
      .describe('What is done with it now. done: it is a file, and all of it is there.'),
    ...copying,
    commands: count('Commands that followed since.'),
  })
  .describe('A source of a migration.');

export const migrationSchema = z
  .object({
    id: id('Its id.'),
    host: id('The host on which it was begun.'),
    folder: words('Its state directory, for holdfast migrate --state-dir.'),
    startedAt: time('When it was begun.'),
    target: words('The spec, or the address, into which it writes.'),
    phase: z
      .enum(['begun', 'running', 'paused', 'cut-over', 'stopped', 'failed'])
      .describe('begun: nothing is known of it yet. cut-over: writers of the old side are held, or moved.'),
    runs: flag('A process runs it. Where none does, holdfast migrate resume goes on.'),
    updatedAt: orNull(time('When it said so.')),
    failure: orNull(words('Why it failed.')),
    sources: z.array(migrationSource).describe('At most 50.'),
  })
  .describe('A migration into the deployment, by replication.');

export const migrationsSchema = z
  .object({
    migrations: z.array(migrationSchema).describe('Newest first; at most 20 of each host.'),
    missing,
  })
  .describe('Migrations that were begun and are neither finished nor given up.');

export type ApiRequestMirror = z.infer<typeof requestMirrorSchema>;
export type ApiMirrors = z.infer<typeof mirrorsSchema>;
export type ApiMirror = z.infer<typeof mirrorSchema>;
export type ApiMigrations = z.infer<typeof migrationsSchema>;
export type ApiMigration = z.infer<typeof migrationSchema>;

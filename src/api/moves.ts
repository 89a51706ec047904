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
  bytesPerSecond: amount('Read in the last second.'),
  secondsLeft: orNull(amount('Of the copy; null where nobody can tell.')),
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
  })
  .describe('A copy elsewhere that follows the deployment.');

export const mirrorsSchema = z
  .object({ mirrors: z.array(mirrorSchema).describe('In the order of the spec.'), missing })
  .describe('The mirrors of the spec.');

const migrationSource = z
  .object({
    source: words('As it was named.'),
    at: words('Where it is read from now.'),
    phase: z
      .enum(['connecting', 'removing', 'copying', 'following', 'waiting', 'done', 'ended'])
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

export type ApiMirrors = z.infer<typeof mirrorsSchema>;
export type ApiMirror = z.infer<typeof mirrorSchema>;
export type ApiMigrations = z.infer<typeof migrationsSchema>;
export type ApiMigration = z.infer<typeof migrationSchema>;

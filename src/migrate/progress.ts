/** How far a migration is: written every second as `progress.json`, for `migrate status` and for whoever watches. */
import { z } from 'zod';
import { readFileIfThere, writeFileAtomic } from '../base/atomic-file.ts';
import { type MigrationPaths, parseWith } from './plan.ts';

/**
 * What is under way, until it is made or given up. The first two may keep the old side paused. Behind `abort` and `finish` it may take
 * writes, whatever it has: whoever comes next holds nobody up again, and what is left is to bring that to its end.
 */
export const changes = ['cut-over', 'undo', 'abort', 'finish'] as const;
export const phases = ['running', 'paused', 'cut-over', 'stopped', 'failed'] as const;

const sourceSchema = z.object({
  /** As the plan names it. */
  source: z.string(),
  /** Where it is read from now. */
  at: z.string(),
  phase: z.enum([
    ...(['connecting', 'removing', 'copying', 'comparing', 'following', 'waiting', 'done', 'ended'] as const),
  ]),
  keys: z.number(),
  bytes: z.number(),
  totalBytes: z.number().nullable(),
  bytesPerSecond: z.number(),
  /** Of the copy, or of the comparison behind it; null when nobody can tell. */
  secondsLeft: z.number().nullable(),
  commands: z.number(),
  appliedOffset: z.number().nullable(),
  sourceOffset: z.number().nullable(),
  lagBytes: z.number().nullable(),
  lagSeconds: z.number().nullable(),
  problem: z.string().nullable(),
});

const backPlaceSchema = z.object({
  /** The stream's; new for each cut-over. */
  id: z.string(),
  replId: z.string(),
  offset: z.number(),
  /** The old side has noted that it follows from there: if that is gone, it can't be begun again. */
  isBegun: z.boolean(),
});

const progressSchema = z.object({
  version: z.literal(1),
  phase: z.enum(phases),
  pid: z.number(),
  writtenMs: z.number(),
  /** What ended its process; null unless something did. Behind a cut-over the phase stays `cut-over` all the same. */
  failure: z.object({ code: z.string(), message: z.string(), hint: z.string().nullable() }).nullable(),
  /** A change that was begun, and is neither made nor given up. Noted before it is. */
  change: z.enum(changes).nullable().default(null),
  /** Control sockets of the gates that a cut-over moved, or was about to. */
  gates: z.array(z.string()).default([]),
  /** Clients of one of them are at the new side: the cut-over holds, and none needs to be asked. */
  isMoved: z.boolean().default(false),
  /** Why a gate has not taken its clients along, which wait, for each. */
  notMoved: z.array(z.string()).default([]),
  sources: z.array(sourceSchema),
  /** Behind the cut-over: from where in the new side's history the old side follows it; null when it does not. */
  back: backPlaceSchema.nullable().default(null),
  /** How far the old side is behind the new one. */
  oldSide: sourceSchema.nullable().default(null),
  /** Why the old side does not follow behind the cut-over; null when it does. */
  notFollowed: z.string().nullable().default(null),
});

export type Progress = z.infer<typeof progressSchema>;
export type BackPlace = z.infer<typeof backPlaceSchema>;
export type SourceProgress = z.infer<typeof sourceSchema>;
export type Phase = Progress['phase'];

export async function writeProgress({ progress }: MigrationPaths, value: Progress): Promise<void> {
  await writeFileAtomic(progress, `${JSON.stringify(value, null, 2)}\n`);
}

/** Null before the first was written. @throws MIGRATION_UNREADABLE */
export async function readProgress({ progress }: MigrationPaths): Promise<Progress | null> {
  const text = await readFileIfThere(progress);
  return text === undefined ? null : parseWith(progressSchema, text, progress);
}

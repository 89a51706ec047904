/**
 * What a migration is: written once when it begins, as `plan.json` in its state directory, so that another process can
 * take it up. It names the files of passwords, never a password.
 */
import path from 'node:path';
import { z } from 'zod';
import { readFileIfThere, writeFileAtomic } from '../base/atomic-file.ts';
import { longestSocketPath } from '../base/socket-path.ts';
import { kinds } from '../rdb/format.ts';
import { conflictRules } from '../rdb/merge-input.ts';
import { MigrateRefused, MigrationNone, MigrationThere, MigrationUnreadable } from './errors.ts';

/** A plan of before there were more of them has only the first. */
const files = {
  passwordFile: z.string().nullable(),
  ca: z.string().nullable().default(null),
};

const planSchema = z.object({
  version: z.literal(1),
  /** Of this migration: what the positions in the target are called by. */
  id: z.string().regex(/^[a-z0-9]{8,32}$/),
  createdMs: z.number(),
  /** How the sources are read. */
  method: z.enum(['replication', 'scan']).default('replication'),
  sources: z
    .array(
      z.object({
        /** As it was given; without a password. */
        url: z.string(),
        ...files,
        sentinelPasswordFile: z.string().nullable().default(null),
        /** From, to. */
        dbs: z.array(z.tuple([z.number().int().min(0), z.number().int().min(0)])),
        /** Stands before each of its keys at the target. */
        prefix: z.string().default(''),
        /** Only keys that one of these matches; all when there are none. As \xNN where they are no text. */
        match: z.array(z.string()).default([]),
        /** Only keys of these types; all when there are none. */
        types: z.array(z.enum(kinds)).default([]),
        /** By scan: databases of the target where all under the prefix is this source's; null for all of them. */
        owned: z.array(z.number().int().min(0)).nullable().default([]),
      }),
    )
    .min(1),
  /** A server, or a deployment by its spec. */
  target: z.union([
    z.object({ url: z.string(), ...files }),
    z.object({ spec: z.string(), user: z.string().nullable(), stateDir: z.string().nullable() }),
  ]),
  onConflict: z.enum(conflictRules),
  /** Bytes a second from each source; 0 for as much as there is. */
  maxRate: z.number().min(0),
  /** Bytes that replicas of the target may be behind it; null for as many as they are. */
  maxLag: z.number().min(0).nullable().default(null),
  /** The target was empty, and there is one source: whatever is there has come from it. */
  isAlone: z.boolean(),
});

export type Plan = z.infer<typeof planSchema>;

/** Whether a source is named as a file: a path, or an object in S3. */
export function isFile(url: string): boolean {
  return !url.includes('://') || /^(file|s3):/.test(url);
}

export interface MigrationPaths {
  root: string;
  plan: string;
  progress: string;
  socket: string;
  /** What users of the old side may, while they may not write there. */
  closed: string;
  /** What is copied of each source, where the target has other data too. */
  copied(index: number): string;
}

export function migrationPaths(root: string): MigrationPaths {
  const at = (name: string) => path.join(root, name);
  return {
    root,
    plan: at('plan.json'),
    progress: at('progress.json'),
    socket: at('control.sock'),
    closed: at('closed-users.json'),
    copied: (index) => at(`copied-${index + 1}.keys`),
  };
}

/** What the position of a source is called by. */
export function streamId(plan: Plan, index: number): string {
  return `${plan.id}-${index + 1}`;
}

/** @throws MIGRATION_THERE when the directory has one already, MIGRATE_REFUSED when its path is too long for a socket in it */
export async function writePlan(paths: MigrationPaths, plan: Plan): Promise<void> {
  const length = Buffer.byteLength(paths.socket);
  if (length > longestSocketPath) {
    throw MigrateRefused(
      `${paths.root} is too long by ${length - longestSocketPath} bytes: a Unix socket lies in it, through which migrate status and the others ask`,
      { hint: 'Name a shorter one with --state-dir, for this and the other commands.' },
    );
  }
  if ((await readFileIfThere(paths.plan)) !== undefined) {
    throw MigrationThere(`${paths.root} holds a migration already`, {
      hint: 'holdfast migrate resume goes on with it; migrate abort or migrate finish ends it; --state-dir names another place.',
    });
  }
  await writeFileAtomic(paths.plan, `${JSON.stringify(plan, null, 2)}\n`);
}

/** @throws MIGRATION_NONE, MIGRATION_UNREADABLE */
export async function readPlan(paths: MigrationPaths): Promise<Plan> {
  const text = await readFileIfThere(paths.plan);
  if (text === undefined) {
    throw MigrationNone(`there is no migration in ${paths.root}`, {
      hint: 'holdfast migrate SOURCE --to TARGET begins one; --state-dir names where another lies.',
    });
  }
  return parseWith(planSchema, text, paths.plan);
}

/** @throws MIGRATION_UNREADABLE */
export function parseWith<T>(schema: z.ZodType<T>, text: string, file: string): T {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw unreadable(file, 'it is no JSON', cause);
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw unreadable(file, z.prettifyError(parsed.error), parsed.error);
}

function unreadable(file: string, why: string, cause: unknown): Error {
  return MigrationUnreadable(`${file} can't be read: ${why}`, {
    hint: 'It is written by holdfast only. Another release may have written it: go on with that one.',
    cause,
  });
}

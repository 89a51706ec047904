/** What the command line may say with each of its commands: checked here, because another program may speak to the socket. */
import { z } from 'zod';
import { ApiBadRequest } from '../errors.ts';
import type { Command } from './agent-api.ts';
import { validated } from './validate.ts';

const id = z.string().min(1).max(100);
const sentence = z.string().min(1).max(4096);
const nothing = z.strictObject({});
/** How long ago the command began: whatever it finds replaced since then is not replaced once more. */
const askedMsAgo = z.number().min(0).max(3_600_000).optional();

const restoreRequest = z.strictObject({
  backup: z.string().min(1).max(4096),
  from: z.strictObject({
    address: z.string().min(1).max(255),
    port: z.int().min(1).max(65_535),
    replicationId: z.string().regex(/^[0-9a-f]{40}$/),
  }),
  bytes: z.int().min(0),
  keys: z.int().min(0),
  replace: z.boolean(),
  safetyBackup: z.boolean(),
  /** The job that asks for it, if one does: then it is that job's, and asked for by whoever asked for that. */
  job: id.optional(),
});

const schemas = {
  down: z.strictObject({ acceptDataLoss: z.boolean().optional() }),
  switchover: z.strictObject({ to: z.string().max(100).optional(), askedMsAgo }),
  failover: z.strictObject({ to: z.string().max(100).optional(), askedMsAgo }),
  restart: z.strictObject({ member: id.optional(), acceptDataLoss: z.boolean().optional() }),
  pause: nothing,
  resume: nothing,
  apply: z.strictObject({ file: z.string().min(1).max(4096), dryRun: z.boolean().optional() }),
  /** The store of backups is another than before, by whoever asks; with what is to be told of it. */
  backups: z.strictObject({ taken: sentence.optional(), notGood: sentence.optional() }),
  mirror: z.strictObject({ name: id, to: z.enum(['pause', 'resume', 'resync']) }),
  /** With `facts` it is only asked what the data must fit. */
  restore: z.union([z.strictObject({ facts: z.literal(true) }), restoreRequest]),
} as const satisfies Record<Command, z.ZodType>;

export type CommandOptions = { [C in Command]: z.output<(typeof schemas)[C]> };
/** A command with its options. */
export type Commanded = { [C in Command]: { command: C; options: CommandOptions[C] } }[Command];

/** @throws API_BAD_REQUEST, which names the field. */
export function commandedBy(command: Command, body: unknown): Commanded {
  if (!Object.hasOwn(schemas, command)) throw ApiBadRequest(`there is no command ${command}`);
  return { command, options: validated(schemas[command], body, 'body') } as Commanded;
}

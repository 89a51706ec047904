/** Samples that the agent keeps itself: every second for an hour, every minute for a week. Columns, as charts want them. */
import { z } from 'zod';
import { amount, orNull } from './fields.ts';

const series = (about: string) =>
  z
    .array(orNull(z.number()))
    .describe(`${about} One number for each of \`at\`; null where it was not known.`);

export const deploymentSeriesSchema = z
  .object({
    commandsPerSecond: series('Requests at all gates.'),
    errorsPerSecond: series('Error replies at all gates.'),
    clients: series('Clients at all gates.'),
    held: series('Clients that waited for a primary; of a minute, the most.'),
    p50Ms: series('Half of the requests took at most this.'),
    p99Ms: series('99 of 100 requests took at most this; of a minute, the worst second.'),
  })
  .describe('Of the deployment as a whole.');

export const memberSeriesSchema = z
  .object({
    lagBytes: series('Behind the primary; of a minute, the most.'),
    memoryBytes: series('used_memory.'),
    commandsPerSecond: series('Commands that it executed.'),
    keys: series('Keys.'),
  })
  .describe('Of one member.');

export const historyQuerySchema = z.strictObject({
  step: z.enum(['1s', '1m']).default('1s').describe('1s: the last hour. 1m: the last week.'),
  from: z.coerce.number().min(0).optional().describe('Only samples from this time on, Unix ms.'),
  to: z.coerce.number().min(0).optional().describe('Only samples up to this time, Unix ms.'),
});

export const historySchema = z
  .object({
    stepMs: amount('The time between samples, ms.'),
    at: z.array(z.number()).describe('The times of the samples, Unix ms, ascending; gaps are left out.'),
    deployment: deploymentSeriesSchema,
    members: z.record(z.string(), memberSeriesSchema).describe('By member.'),
  })
  .describe('Samples, in columns.');

export type ApiHistory = z.infer<typeof historySchema>;

/** What happened. The number `seq` is also the id of the event in the stream, from which a client resumes. */
import { z } from 'zod';
import { count, id, text, time } from './fields.ts';

export const eventSchema = z
  .object({
    seq: count('Counts up by one, over restarts of the agent too. Each agent has its own count.'),
    at: time('When.'),
    kind: id('A word for machines: docs/events.md lists them.'),
    subject: id("Whom it is about: a member, Sentinel, gate or host, or the deployment's name."),
    text: text('The sentence for people.'),
    host: id('Whose agent noted it.'),
  })
  .describe('Something that happened.');

export const eventsQuerySchema = z.strictObject({
  after: z.coerce.number().int().min(0).default(0).describe('Only events after this number.'),
  limit: z.coerce.number().int().min(1).max(10_000).default(1000).describe('At most so many, the newest.'),
});

export const eventsSchema = z.array(eventSchema).describe('Oldest first.');

export type ApiEvent = z.infer<typeof eventSchema>;

/** What happened, on all hosts. Each agent counts its own events; a position says how far those of each host were read. */
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

/** How far events were read: `a:120,b:87` names hosts and numbers; a number alone is the asked agent's own. */
export const positionSchema = z
  .string()
  .max(8000)
  .regex(/^(\d{1,15}|[\w.-]{1,63}:\d{1,15}(,[\w.-]{1,63}:\d{1,15})*)$/, {
    error: 'a number of an event, or numbers by host such as a:120,b:87',
  });

/** For colleagues: an agent that is asked so asks nobody else. */
export const onlyHere = z
  .enum(['here'])
  .optional()
  .describe('here: what the agent that is asked knows by itself. Left out: all hosts.');

export const eventsQuerySchema = z.strictObject({
  after: positionSchema
    .default('0')
    .describe(
      'Only events after this: `events` of a view, the id of an event in the stream, or a number of this agent. Of hosts that it does not name, all that is kept is sent.',
    ),
  only: onlyHere,
  limit: z.coerce.number().int().min(1).max(10_000).default(1000).describe('At most so many, the newest.'),
});

export const eventsSchema = z.array(eventSchema).describe('Oldest first.');

export type ApiEvent = z.infer<typeof eventSchema>;

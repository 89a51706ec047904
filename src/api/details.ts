/** What is asked of one member, and the clients of gates. */
import { z } from 'zod';
import { amount, count, flag, id, orNull, place, text, time } from './fields.ts';

const slowCommand = z
  .object({
    at: time('When.'),
    tookMs: amount('How long.'),
    command: text('The name of the command; its arguments, which may be secret, are not told.'),
    client: text('Address of the client; of a gate, usually.'),
    clientName: text('CLIENT SETNAME.'),
  })
  .describe('An entry of the slow log.');

const memberClient = z
  .object({
    id: id('CLIENT ID.'),
    address: text('Whence.'),
    name: text('CLIENT SETNAME.'),
    user: text('ACL user.'),
    kind: z.enum(['normal', 'replica', 'pubsub', 'primary']).describe('What it is to the member.'),
    db: count('Database.'),
    ageMs: amount('How long connected.'),
    idleMs: amount('How long silent.'),
    command: text('The last command.'),
    memoryBytes: orNull(amount('What it takes.')),
  })
  .describe('A connection to a member.');

export const memberDetailsSchema = z
  .object({
    ...place,
    at: time('When it was asked.'),
    info: z
      .record(z.string(), z.record(z.string(), z.string()))
      .describe('INFO by section, as the server says it.'),
    keyspace: z.array(
      z.object({ db: count('Database.'), keys: count('Keys.'), expiring: count('Of them with an expiry.') }),
    ),
    memory: z.record(z.string(), z.number()).describe('MEMORY STATS, the figures at its top.'),
    slowLog: z.array(slowCommand).describe('Newest first, at most 64.'),
    clients: z.array(memberClient).describe('At most 500.'),
    clientsTotal: count('All of them.'),
  })
  .describe('What a member says of itself. 404 for an id that is none, 503 while it does not answer.');

export const gateClientSchema = z
  .object({
    gate: id('Its gate.'),
    address: text('Whence.'),
    name: text('CLIENT SETNAME; empty for none.'),
    user: text('ACL user.'),
    port: z.enum(['read-write', 'read-only']).describe('Which port it came to.'),
    ageMs: amount('How long connected.'),
    lastCommand: text('Its last command; empty before the first.'),
    held: flag('Its next command waits for a primary.'),
    private: flag('It has a connection of its own.'),
    db: count('Database.'),
  })
  .describe('A client of a gate.');

export const clientsSchema = z
  .object({
    total: count('All clients.'),
    clients: z.array(gateClientSchema).describe('At most 1000.'),
    missing: z
      .array(z.object({ gate: id('Which.'), why: text('Why.') }))
      .describe('Gates whose clients are not known.'),
  })
  .describe('Clients of all gates.');

export type ApiMemberDetails = z.infer<typeof memberDetailsSchema>;
export type ApiGateClient = z.infer<typeof gateClientSchema>;
export type ApiClients = z.infer<typeof clientsSchema>;

/**
 * How data can be had from a source, and why. Replication where the server lets us be its replica, else SCAN and DUMP.
 *
 * Nothing is begun to find out: a PSYNC would have the server fork and save.
 * - A server that does not know PSYNC, as managed services rename or disable it, says so of one without arguments.
 * - A user without the right to it is told so before PSYNC is executed, or queued, in a transaction (Redis 6.2), or by
 *   ACL DRYRUN (Redis 7).
 * - Where none of that is answered, nothing speaks against it: the stream finds out, before anything is written.
 *
 * Source: server.c (processCommand), acl.c (aclCommand) of Redis 6.2 to 8.6.
 */
import { refusalReply } from '../redis/errors.ts';
import { grantOf, isRight, refusalIn } from './rights.ts';

export const methods = ['auto', 'replication', 'scan'] as const;
export type Method = (typeof methods)[number];

export interface Choice {
  method: Exclude<Method, 'auto'>;
  /** A sentence. */
  because: string;
}

type Call = (command: string, ...args: string[]) => Promise<unknown>;

/** What a user needs to read a source as a replica does. */
const rules = ['+psync', '+replconf', '+ping'];

/**
 * @param call over one connection: PSYNC is asked about in a transaction, and executed without one.
 * @returns why the source refuses to be replicated; null when nothing says that it does. @throws REDIS_UNREACHABLE
 */
export async function replicationRefusal(call: Call, loggedInAs = 'default'): Promise<string | null> {
  const ask = async (command: string, ...args: string[]): Promise<unknown> =>
    await call(command, ...args).catch((error: unknown) => {
      const refused = refusalReply(error);
      if (refused === undefined) throw error;
      return refused;
    });
  const user = await ask('ACL', 'WHOAMI');
  const grant = `; ${grantOf(typeof user === 'string' ? user : loggedInAs, rules)} there lets it`;
  const inWords = (how: string, refusal: string) => `${how}: ${refusal}${isRight(refusal) ? grant : ''}`;
  for (const command of ['PSYNC', 'REPLCONF']) {
    const refusal = refusalIn(await ask(command));
    if (refusal !== null) return inWords(`it answers ${command} with`, refusal);
  }
  if (typeof user === 'string') {
    const told = await ask('ACL', 'DRYRUN', user, 'PSYNC', '?', '-1');
    if (told === 'OK') return null;
    if (typeof told === 'string') return inWords('it says', told);
  }
  // Outside of a transaction it would be executed.
  if ((await ask('MULTI')) !== 'OK') return null;
  const queued = await ask('PSYNC', '?', '-1');
  await ask('DISCARD');
  const refusal = refusalIn(queued);
  return refusal === null ? null : inWords('it answers PSYNC with', refusal);
}

export interface Candidate {
  name: string;
  isCluster: boolean;
  /** Null when nothing says that it refuses replication. */
  refusal: string | null;
}

/**
 * Pure.
 * @param sources servers; none when all sources are files. @param types of which keys are carried; all, if none is named.
 */
export function chooseMethod(
  wanted: Method,
  sources: readonly Candidate[],
  types: readonly string[] = [],
): Choice {
  if (sources.length === 0)
    return { method: 'replication', because: 'files are read from their beginning to their end' };
  if (wanted !== 'auto') return { method: wanted, because: '--method says so' };
  if (types.length > 0)
    return {
      method: 'scan',
      because: `only keys of some types are carried (${types.join(', ')}), and of what type a key is that a command names only the server knows`,
    };
  for (const { name, isCluster, refusal } of sources) {
    if (isCluster) {
      return {
        method: 'scan',
        because: `${name} is a node of a Redis Cluster, each primary of which would be a source of its own, with slots that move between them`,
      };
    }
    if (refusal !== null)
      return { method: 'scan', because: `${name} can't be read as a replica reads it: ${refusal}` };
  }
  const which = sources.length === 1 ? `${sources[0]?.name} lets` : 'all sources let';
  return {
    method: 'replication',
    because: `${which} a replica in: every write comes in order, once, until you change over`,
  };
}

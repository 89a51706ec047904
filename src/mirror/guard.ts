/**
 * What is looked at before a mirror may write, and again while it does: that its target's writes do not come back to its
 * source, and, before the first, that the target holds nothing of anybody else.
 */
import { type KeyPrefixes, patternUnder } from '../base/key-prefixes.ts';
import { askReplication } from '../redis/ask-replication.ts';
import { type ConnectionOptions, RedisConnection } from '../redis/connection.ts';
import { describeEndpoint } from '../redis/endpoint.ts';
import { isNoHistory, keyCount, keyspaces, parseInfo } from '../redis/info.ts';
import { positionKey } from '../stream/position.ts';
import { MirrorLoop, MirrorTargetNotEmpty } from './errors.ts';
import { loopThrough, originsKey, parseOrigins, withOrigin } from './origins.ts';

export interface GuardedSides {
  /** Of the mirror's stream. */
  id: string;
  /** Whoever is primary of the source now, as a user who may GET what begins with `holdfast:`. */
  source: ConnectionOptions;
  target: ConnectionOptions;
  /** Which keys are mirrored; empty for all. */
  prefixes: KeyPrefixes;
}

/**
 * @param mayEmpty whether what the target holds may be removed, because someone has said so
 * @throws MIRROR_LOOP, MIRROR_TARGET_NOT_EMPTY; REDIS_UNREACHABLE, REDIS_REFUSED
 */
export async function guard(sides: GuardedSides, mayEmpty: boolean): Promise<void> {
  const { id, prefixes } = sides;
  const [source, target] = [new RedisConnection(sides.source), new RedisConnection(sides.target)];
  try {
    const [from, to] = [await historyOf(source), await historyOf(target)];
    const where = describeEndpoint(sides.target.endpoint);
    if (to[0] === from[0]) throw loop(`${where} is the deployment that is to be mirrored`);
    const atSource = parseOrigins((await source.call('GET', originsKey)) as string | null);
    const through = loopThrough(atSource, to, prefixes);
    if (through !== undefined) throw loop(`${where} is mirrored to this deployment already (${through})`);
    const begun = (await target.call('GET', positionKey(id))) !== null;
    if (!begun && !mayEmpty) await refuseUnlessEmpty(target, where, prefixes);
    const atTarget = (await target.call('GET', originsKey)) as string | null;
    const wanted = withOrigin(parseOrigins(atTarget), atSource, id, { history: from[0] as string, prefixes });
    // Behind the first word of the stream, which says whose it is: what is there before may yet be refused.
    if (begun && wanted !== atTarget) await target.call('SET', originsKey, wanted);
  } finally {
    source.close();
    target.close();
  }
}

async function historyOf(redis: RedisConnection): Promise<string[]> {
  const { replId, replIdBefore } = await askReplication(redis);
  return [replId, replIdBefore].filter((each) => !isNoHistory(each));
}

async function refuseUnlessEmpty(
  target: RedisConnection,
  where: string,
  prefixes: KeyPrefixes,
): Promise<void> {
  const info = parseInfo(String(await target.call('INFO', 'keyspace')));
  const keys = keyCount(info);
  if (keys === 0) return;
  const taken = prefixes.length === 0 ? `${keys} keys` : await keysTaken(target, keyspaces(info), prefixes);
  if (taken === null) return;
  throw MirrorTargetNotEmpty(`${where} holds ${taken} that are not this mirror's`, {
    hint: 'A mirror makes its target equal to its source. Name an empty one; holdfast mirror resync removes those and fills it.',
  });
}

/** In words, the first keys there that begin so; null when there are none. */
async function keysTaken(
  target: RedisConnection,
  databases: readonly { db: number }[],
  prefixes: KeyPrefixes,
): Promise<string | null> {
  for (const { db } of databases) {
    await target.call('SELECT', db);
    for (const prefix of prefixes) {
      let cursor = '0';
      do {
        const [next, found] = (await target.call(
          ...(['SCAN', cursor, 'MATCH', patternUnder(prefix), 'COUNT', scannedAtATime] as const),
        )) as [string, string[]];
        if (found.length > 0) return `keys that begin with ${JSON.stringify(prefix)} in database ${db}`;
        cursor = next;
      } while (cursor !== '0');
    }
  }
  await target.call('SELECT', 0);
  return null;
}

const scannedAtATime = 1000;

function loop(what: string): Error {
  return MirrorLoop(`${what}: writes would go round for ever`, {
    hint: 'Take one of the two mirrors out of its spec. Two that both take writes need each their own keys.',
  });
}

/**
 * What is looked at before a mirror may write, and again while it does: that its target's writes do not come back to its
 * source, and, before the first, that the target holds nothing of anybody else.
 */
import { type ConnectionOptions, RedisConnection } from '../redis/connection.ts';
import { describeEndpoint } from '../redis/endpoint.ts';
import { keyCount, parseInfo, replicationInfo } from '../redis/info.ts';
import { positionKey } from '../stream/position.ts';
import { MirrorLoop, MirrorTargetNotEmpty } from './errors.ts';
import { loopThrough, originsKey, parseOrigins, withOrigin } from './origins.ts';

export interface GuardedSides {
  /** Of the mirror's stream. */
  id: string;
  /** Whoever is primary of the source now, as a user who may GET what begins with `holdfast:`. */
  source: ConnectionOptions;
  target: ConnectionOptions;
}

/**
 * @param mayEmpty whether what the target holds may be removed, because someone has said so
 * @throws MIRROR_LOOP, MIRROR_TARGET_NOT_EMPTY; REDIS_UNREACHABLE, REDIS_REFUSED
 */
export async function guard(sides: GuardedSides, mayEmpty: boolean): Promise<void> {
  const { id } = sides;
  const [source, target] = [new RedisConnection(sides.source), new RedisConnection(sides.target)];
  try {
    const [from, to] = [await historyOf(source), await historyOf(target)];
    const where = describeEndpoint(sides.target.endpoint);
    if (to[0] === from[0]) throw loop(`${where} is the deployment that is to be mirrored`);
    const atSource = parseOrigins((await source.call('GET', originsKey)) as string | null);
    const through = loopThrough(atSource, to);
    if (through !== undefined) throw loop(`${where} is mirrored to this deployment already (${through})`);
    const begun = (await target.call('GET', positionKey(id))) !== null;
    if (!begun && !mayEmpty) await refuseUnlessEmpty(target, where);
    const atTarget = (await target.call('GET', originsKey)) as string | null;
    const wanted = withOrigin(parseOrigins(atTarget), atSource, id, from[0] as string);
    // Behind the first word of the stream, which says whose it is: what is there before may yet be refused.
    if (begun && wanted !== atTarget) await target.call('SET', originsKey, wanted);
  } finally {
    source.close();
    target.close();
  }
}

async function historyOf(redis: RedisConnection): Promise<string[]> {
  const { replId, replIdBefore } = replicationInfo(
    parseInfo(String(await redis.call('INFO', 'replication'))),
  );
  return [replId, replIdBefore].filter((each) => /[1-9a-f]/.test(each));
}

async function refuseUnlessEmpty(target: RedisConnection, where: string): Promise<void> {
  const keys = keyCount(parseInfo(String(await target.call('INFO', 'keyspace'))));
  if (keys === 0) return;
  throw MirrorTargetNotEmpty(`${where} holds ${keys} keys that are not this mirror's`, {
    hint: 'A mirror makes its target equal to its source. Name an empty one; holdfast mirror resync empties this one and fills it.',
  });
}

function loop(what: string): Error {
  return MirrorLoop(`${what}: writes would go round for ever`, {
    hint: 'Take one of the two mirrors out of its spec. Two that both take writes need each their own keys.',
  });
}

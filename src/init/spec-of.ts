/** Makes a spec of what was found. Pure; what can't be in one is told with why, and beside which key it belongs. */
import { formatDuration } from '../base/duration.ts';
import { minDetectAfterMs } from '../spec/schema/sentinel.ts';
import type { SpecFile } from '../spec/schema.ts';
import type { Found, Note } from './found.ts';
import { placesOf } from './places.ts';
import { redisSection } from './redis-section.ts';
import { securitySection } from './security-section.ts';

export interface MadeSpec {
  spec: SpecFile;
  notCarried: Note[];
}

export function specOf(found: Found): MadeSpec {
  const { hosts, redis: where, sentinel: voters, memberCount, agentPort, notes: ofPlaces } = placesOf(found);
  const { redis, notes: ofRedis } = redisSection(found.settings, memberCount);
  const { security, notes: ofSecurity } = securitySection(found, hosts !== undefined);
  const { sentinel, notes: ofSentinel } = sentinelSection(found, voters.count ?? voters.on?.length ?? 3);
  const { name, notes: ofName } = nameOf(found.name);
  const notCarried = [...ofName, ...ofPlaces, ...ofRedis, ...ofSentinel, ...ofSecurity, ...found.notes];
  const isForgetful = memberCount === 1 && redis.persistence === 'none';
  if (isForgetful) {
    const why = 'one member without persistence comes back empty, so it is not restarted by itself';
    notCarried.push({ path: ['agent'], what: 'a restart of the server', why });
  }
  const agent = {
    ...(agentPort === undefined ? {} : { port: agentPort }),
    ...(isForgetful ? { restarts: { limit: 0 } } : {}),
  };
  const spec: SpecFile = {
    name,
    ...(hosts === undefined ? {} : { hosts }),
    redis: { ...where, ...(found.engine === 'valkey' ? { engine: 'valkey' } : {}), ...redis },
    sentinel: { ...voters, ...sentinel },
    ...(Object.keys(agent).length > 0 ? { agent } : {}),
    ...(Object.keys(security).length > 0 ? { security } : {}),
  };
  return { spec, notCarried };
}

function nameOf(found: string | null): { name: string; notes: Note[] } {
  const name = (found ?? 'redis')
    .replace(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '')
    .slice(0, 63);
  if (found === null || name === found) return { name: name || 'redis', notes: [] };
  const why = "a name has letters, digits, '.', '_' and '-', at most 63";
  return { name: name || 'redis', notes: [{ path: ['name'], what: `the name ${found}`, why }] };
}

function sentinelSection(
  found: Found,
  count: number,
): { sentinel: NonNullable<SpecFile['sentinel']>; notes: Note[] } {
  const notes: Note[] = [];
  const majority = Math.floor(count / 2) + 1;
  const quorum = Math.min(count, Math.max(majority, found.quorum ?? majority));
  if (found.quorum !== null && quorum !== found.quorum) {
    const why =
      found.quorum < majority
        ? 'below a majority, a few Sentinels that lost the network would call a healthy primary down'
        : 'it could never be reached';
    notes.push({ path: ['sentinel', 'quorum'], what: `the quorum ${found.quorum}`, why });
  }
  if (found.downAfterMs === null && found.failoverTimeoutMs === null) return { sentinel: { quorum }, notes };
  const within = (key: string, ms: number, [least, most]: [number, number], why: string) => {
    const used = Math.min(most, Math.max(least, Math.round(ms)));
    if (used !== ms) notes.push({ path: ['sentinel', key], what: `${ms} ms`, why });
    return used;
  };
  const detectAfterMs = within(
    'detectAfter',
    found.downAfterMs ?? 30_000,
    [minDetectAfterMs, 600_000],
    'from 3s to 10m: sooner, a Sentinel on a busy machine gives up on a healthy server; a crash is seen by the agent at once',
  );
  const failoverTimeoutMs = within(
    'failoverTimeout',
    found.failoverTimeoutMs ?? 180_000,
    [Math.max(5000, 2 * detectAfterMs), 3_600_000],
    'at least 5s and twice detectAfter, at most 1h',
  );
  const times = {
    detectAfter: formatDuration(detectAfterMs),
    failoverTimeout: formatDuration(failoverTimeoutMs),
  };
  return { sentinel: { quorum, ...times }, notes };
}

/**
 * What people run today, as an operators' tutorial has it ("Implementing Redis HA and Auto-Failover", three machines
 * with Redis, Sentinel and HAProxy): AOF on, `down-after-milliseconds 15000`, `failover-timeout 30000`, quorum 2, and
 * HAProxy with `timeout connect 3s`, `timeout server 30s`, `timeout client 30s` and a TCP check for `role:master` every
 * second. Its passwords are left out, and its mistakes that would keep it from running at all.
 */
export const plainName = 'mymaster';

export interface PlainPlace {
  id: string;
  address: string;
  port: number;
  folder: string;
}

export function plainRedisConf(
  { address, port, folder }: PlainPlace,
  follows: PlainPlace | null,
  persistence: string,
): string {
  const saves: Record<string, string[]> = {
    none: ['save ""', 'appendonly no'],
    rdb: ['appendonly no'],
    'aof-everysec': ['appendonly yes'],
    'aof-always': ['appendonly yes', 'appendfsync always'],
  };
  return lines([
    `port ${port}`,
    `bind ${address}`,
    'protected-mode no',
    `dir ${folder}/data`,
    // Only for the drill's own questions; clients come through HAProxy.
    `unixsocket ${folder}/sock`,
    ...(saves[persistence] ?? []),
    ...(follows === null ? [] : [`replicaof ${follows.address} ${follows.port}`]),
  ]);
}

/** How long the Sentinels wait, in ms. */
export interface PlainTimes {
  downAfterMs: number;
  failoverTimeoutMs: number;
}

export const tutorialTimes: PlainTimes = { downAfterMs: 15_000, failoverTimeoutMs: 30_000 };

export function plainSentinelConf(
  { address, port, folder }: PlainPlace,
  primary: PlainPlace,
  { downAfterMs, failoverTimeoutMs }: PlainTimes,
): string {
  return lines([
    `port ${port}`,
    `bind ${address}`,
    'protected-mode no',
    `dir ${folder}/data`,
    `unixsocket ${folder}/sock`,
    `sentinel monitor ${plainName} ${primary.address} ${primary.port} 2`,
    `sentinel down-after-milliseconds ${plainName} ${downAfterMs}`,
    `sentinel failover-timeout ${plainName} ${failoverTimeoutMs}`,
  ]);
}

export function plainHaproxyCfg(
  listener: PlainPlace & { readOnlyPort: number },
  members: readonly PlainPlace[],
): string {
  const backend = (role: string) => [
    `backend back_redis_${role}`,
    'option tcp-check',
    'tcp-check connect',
    'tcp-check send PING\\r\\n',
    'tcp-check expect string +PONG',
    'tcp-check send info\\ replication\\r\\n',
    `tcp-check expect string role:${role}`,
    'tcp-check send QUIT\\r\\n',
    'tcp-check expect string +OK',
    ...members.map(({ id, address, port }) => `server ${id} ${address}:${port} check inter 1s`),
  ];
  return lines([
    'global',
    // Only for the drill, to see when all have been checked.
    `stats socket ${listener.folder}/sock mode 600 level user`,
    'defaults REDIS',
    'mode tcp',
    'timeout connect 3s',
    'timeout server 30s',
    'timeout client 30s',
    'frontend front_redis_master',
    `bind ${listener.address}:${listener.port} name redis`,
    'default_backend back_redis_master',
    'frontend front_redis_slave',
    `bind ${listener.address}:${listener.readOnlyPort} name redis`,
    'default_backend back_redis_slave',
    ...backend('master'),
    ...backend('slave'),
  ]);
}

function lines(list: string[]): string {
  return `${list.join('\n')}\n`;
}

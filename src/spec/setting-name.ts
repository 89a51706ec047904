/** Older names that Redis and Valkey go on answering to (config.c, the alias of each setting). */
const olderNames = new Map(
  Object.entries({
    'lua-time-limit': 'busy-reply-threshold',
    'list-max-ziplist-size': 'list-max-listpack-size',
    'hash-max-ziplist-entries': 'hash-max-listpack-entries',
    'hash-max-ziplist-value': 'hash-max-listpack-value',
    'zset-max-ziplist-entries': 'zset-max-listpack-entries',
    'zset-max-ziplist-value': 'zset-max-listpack-value',
    'min-slaves-to-write': 'min-replicas-to-write',
    'min-slaves-max-lag': 'min-replicas-max-lag',
    'cluster-slave-validity-factor': 'cluster-replica-validity-factor',
    'cluster-slave-no-failover': 'cluster-replica-no-failover',
    slaveof: 'replicaof',
  }),
);

/** The name that a setting is known by today. */
export function settingName(name: string): string {
  const plain = name.toLowerCase();
  return olderNames.get(plain) ?? plain.replace(/^slave-/, 'replica-').replace(/-slave-/, '-replica-');
}

import { expect, test } from 'vitest';
import { serverFacts } from './server-facts.ts';

const nothing = {
  ...{ product: 'redis', version: '', runId: '', role: '', isCluster: false, databases: [], keys: 0 },
  ...{ dataBytes: 0, usedBytes: 0, maxBytes: 0, policy: '', hasAof: false, modules: [] },
};

test('a server that says little has nothing, and no limit', () => {
  expect(serverFacts('')).toEqual(nothing);
  expect(serverFacts('# Server\r\nredis_version:6.2.0\r\n')).toEqual({ ...nothing, version: '6.2.0' });
});

test('one that says all', () => {
  const lines = [
    ...['# Server', 'redis_version:7.2.4', 'valkey_version:8.0.1', 'run_id:abc', '# Memory'],
    ...['used_memory:900', 'used_memory_dataset:300', 'maxmemory:1000', 'maxmemory_policy:allkeys-lru'],
    ...['# Persistence', 'aof_enabled:1', '# Replication', 'role:master', '# Modules'],
    ...['module:name=bf,ver=1,api=1,filters=0', 'module:name=ReJSON,ver=2', '# Cluster', 'cluster_enabled:1'],
    ...['# Keyspace', 'db0:keys=3,expires=0,avg_ttl=0', 'db5:keys=4,expires=1,avg_ttl=7'],
  ];
  expect(serverFacts(`${lines.join('\r\n')}\r\n`)).toEqual({
    ...{ product: 'valkey', version: '8.0.1', runId: 'abc', role: 'master', isCluster: true, keys: 7 },
    databases: [
      { db: 0, keys: 3 },
      { db: 5, keys: 4 },
    ],
    ...{ dataBytes: 300, usedBytes: 900, maxBytes: 1000, policy: 'allkeys-lru', hasAof: true },
    modules: ['bf', 'ReJSON'],
  });
});

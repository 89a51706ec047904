/** What a server says of itself in INFO, of which others conclude what can be done with it. Pure. */
import { keyspaces, moduleNames, parseInfo, productOf } from './info.ts';

export interface ServerFacts {
  product: 'redis' | 'valkey';
  version: string;
  /** Another one when the server was started anew, or when another server answers at its address. */
  runId: string;
  /** In the server's word. */
  role: string;
  isCluster: boolean;
  /** Those that hold keys. */
  databases: { db: number; keys: number }[];
  keys: number;
  /** What its data take, in bytes. */
  dataBytes: number;
  usedBytes: number;
  /** 0 for no limit, or when it does not say. */
  maxBytes: number;
  /** Of eviction; empty when it does not say. */
  policy: string;
  hasAof: boolean;
  modules: string[];
}

/** All sections, those of modules too. */
export const infoForFacts = ['INFO', 'everything'] as const;

/** @param text the answer to `infoForFacts` */
export function serverFacts(text: string): ServerFacts {
  const info = parseInfo(text);
  const { name: product, version } = productOf(info);
  const databases = keyspaces(info).map(({ db, keys }) => ({ db, keys }));
  const number = (field: string) => Number(info[field] ?? 0) || 0;
  return {
    ...{ product, version, runId: info['run_id'] ?? '', role: info['role'] ?? '' },
    isCluster: info['cluster_enabled'] === '1',
    databases,
    keys: keysIn(databases),
    dataBytes: number('used_memory_dataset'),
    usedBytes: number('used_memory'),
    maxBytes: number('maxmemory'),
    policy: info['maxmemory_policy'] ?? '',
    hasAof: info['aof_enabled'] === '1',
    modules: moduleNames(text),
  };
}

export function keysIn(databases: ServerFacts['databases']): number {
  return databases.reduce((sum, { keys }) => sum + keys, 0);
}

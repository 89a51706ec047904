import { type Info, keyCount, productOf } from '../../redis/info.ts';

/** A rewrite that fails is a fault too: the AOF grows until the disk is full. */
const aofFaults = ['aof_last_write_status', 'aof_last_bgrewrite_status'];

/** Figures of a member for monitoring. */
export interface MemberVitals {
  keys: number;
  usedMemoryBytes: number;
  /** 0 for no limit. */
  maxMemoryBytes: number;
  clients: number;
  commands: number;
  evictedKeys: number;
  saveOk: boolean;
  /** When it last saved an RDB (or started), wall clock. */
  savedAtMs: number;
  /** Writing and syncing the AOF; null without one. */
  aofOk: boolean | null;
  /** What the kernel says that it takes, and that beside what it uses; null where it does not say. */
  rssBytes: number | null;
  fragmentation: number | null;
  /** An RDB is being saved, an AOF rewritten. */
  saving: boolean;
  rewriting: boolean;
  /** Changes since the last RDB. */
  unsavedChanges: number;
  /** `redis 7.0.15` */
  version: string;
}

/** @param info INFO's default sections. */
export function vitalsOf(info: Info): MemberVitals {
  const { name, version } = productOf(info);
  const number = (field: string) => Number(info[field]);
  const known = (field: string) => (Number.isFinite(number(field)) ? number(field) : null);
  return {
    keys: keyCount(info),
    usedMemoryBytes: number('used_memory'),
    maxMemoryBytes: number('maxmemory'),
    clients: number('connected_clients'),
    commands: number('total_commands_processed'),
    evictedKeys: number('evicted_keys'),
    saveOk: info['rdb_last_bgsave_status'] !== 'err',
    savedAtMs: number('rdb_last_save_time') * 1000,
    aofOk: info['aof_enabled'] === '1' ? aofFaults.every((field) => info[field] !== 'err') : null,
    rssBytes: known('used_memory_rss'),
    fragmentation: known('mem_fragmentation_ratio'),
    saving: info['rdb_bgsave_in_progress'] === '1',
    rewriting: info['aof_rewrite_in_progress'] === '1',
    unsavedChanges: known('rdb_changes_since_last_save') ?? 0,
    version: `${name} ${version}`,
  };
}

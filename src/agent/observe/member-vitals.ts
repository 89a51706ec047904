import { type Info, keyCount } from '../../redis/info.ts';

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
}

/** @param info INFO's default sections. */
export function vitalsOf(info: Info): MemberVitals {
  const number = (field: string) => Number(info[field]);
  return {
    keys: keyCount(info),
    usedMemoryBytes: number('used_memory'),
    maxMemoryBytes: number('maxmemory'),
    clients: number('connected_clients'),
    commands: number('total_commands_processed'),
    evictedKeys: number('evicted_keys'),
    saveOk: info['rdb_last_bgsave_status'] !== 'err',
    savedAtMs: number('rdb_last_save_time') * 1000,
    aofOk: info['aof_enabled'] === '1' ? aofFaults.every((name) => info[name] !== 'err') : null,
  };
}

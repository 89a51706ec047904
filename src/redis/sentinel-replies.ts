/**
 * What Sentinels answer, typed. Names and shapes are those of the SENTINEL subcommands in the Redis documentation ("High
 * availability with Redis Sentinel") and of addReplySentinelRedisInstance in sentinel.c; master and slave appear only at
 * the wire. What is no such answer gives null, or is left out.
 */
import { type Address, addressOf } from './endpoint.ts';

export interface WatchedPrimary extends Address {
  /** `s_down`, `o_down`, `failover_in_progress`, `disconnected`…, as the Sentinel prints them. */
  flags: string[];
  /** Under which epoch the Sentinel says so: the higher the newer. */
  configEpoch: number;
  /** What the server said of itself in its last INFO: `master` or `slave`. */
  roleReported: string;
  /** ms since it last answered a PING of this Sentinel. */
  okPingAgeMs: number;
}

export interface WatchedReplica extends Address {
  flags: string[];
  priority: number;
  /** ms since the replica lost its primary; 0 while linked. */
  linkDownMs: number;
  /** ms since this Sentinel last had its INFO; very large when never. */
  infoAgeMs: number;
  /** ms since it last answered a PING of this Sentinel. */
  okPingAgeMs: number;
  /**
   * It has told this Sentinel whom it follows. Before, this Sentinel knows no offset of it, and prefers any other replica
   * (compareSlavesForPromotion).
   */
  isHeard: boolean;
}

/** A flat array of names and values as a record; null for anything else. */
export function fieldsOf(reply: unknown): Record<string, string> | null {
  if (!Array.isArray(reply)) return null;
  const fields: Record<string, string> = Object.create(null);
  for (let i = 0; i + 1 < reply.length; i += 2) fields[String(reply[i])] = String(reply[i + 1]);
  return fields;
}

/** Of SENTINEL MASTER. */
export function watchedPrimary(reply: unknown): WatchedPrimary | null {
  const fields = fieldsOf(reply);
  const address = addressOf(fields?.['ip'], fields?.['port']);
  if (fields === null || address === undefined) return null;
  const okPingAgeMs = Number(fields['last-ok-ping-reply'] ?? Number.POSITIVE_INFINITY);
  const configEpoch = Number(fields['config-epoch'] ?? 0);
  const roleReported = fields['role-reported'] ?? '';
  return { ...address, flags: flagsOf(fields), configEpoch, roleReported, okPingAgeMs };
}

/** Of SENTINEL MASTERS. */
export function watchedNames(reply: unknown): (Address & { name: string })[] {
  return (Array.isArray(reply) ? reply : []).flatMap((entry) => {
    const fields = fieldsOf(entry);
    const address = addressOf(fields?.['ip'], fields?.['port']);
    return fields === null || address === undefined ? [] : [{ ...address, name: fields['name'] ?? '' }];
  });
}

/** Of SENTINEL REPLICAS. */
export function watchedReplicas(reply: unknown): WatchedReplica[] {
  return (Array.isArray(reply) ? reply : []).flatMap((entry) => {
    const fields = fieldsOf(entry);
    const address = addressOf(fields?.['ip'], fields?.['port']);
    if (fields === null || address === undefined) return [];
    const priority = Number(fields['slave-priority'] ?? 100);
    const linkDownMs = Number(fields['master-link-down-time'] ?? 0);
    const infoAgeMs = Number(fields['info-refresh'] ?? Number.POSITIVE_INFINITY);
    const okPingAgeMs = Number(fields['last-ok-ping-reply'] ?? Number.POSITIVE_INFINITY);
    const isHeard = fields['master-host'] !== '?';
    return [{ ...address, flags: flagsOf(fields), priority, linkDownMs, infoAgeMs, okPingAgeMs, isHeard }];
  });
}

/** Of SENTINEL SENTINELS. */
export interface Colleague extends Address {
  flags: string[];
  /** By which it is known: 40 hexadecimal digits, or nothing. */
  runId: string;
}

export function colleaguesIn(reply: unknown): Colleague[] {
  return (Array.isArray(reply) ? reply : []).flatMap((entry) => {
    const fields = fieldsOf(entry);
    const address = addressOf(fields?.['ip'], fields?.['port']);
    if (fields === null || address === undefined) return [];
    return [{ ...address, flags: flagsOf(fields), runId: fields['runid'] ?? '' }];
  });
}

/** Whether a Sentinel that says this of a replica could promote it. */
export function isPromotable({ flags, priority }: Pick<WatchedReplica, 'flags' | 'priority'>): boolean {
  return priority !== 0 && isReached(flags);
}

function flagsOf(fields: Record<string, string>): string[] {
  return (fields['flags'] ?? '').split(',');
}

/** By the flags of a server: the Sentinel is connected to it, and does not take it for down. */
export function isReached(flags: readonly string[]): boolean {
  return !flags.some((flag) => ['s_down', 'o_down', 'disconnected'].includes(flag));
}

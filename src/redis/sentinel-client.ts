/**
 * What holdfast asks of a redis-sentinel. Names and shapes are those of the SENTINEL subcommands in the Redis
 * documentation ("High availability with Redis Sentinel"); master and slave appear only at the wire.
 */
import { errorText } from '../base/errors.ts';
import { type ConnectionOptions, RedisConnection } from './connection.ts';

export interface WatchedPrimary {
  address: string;
  port: number;
  /** `s_down`, `o_down`, `failover_in_progress`, `disconnected`…, as the Sentinel prints them. */
  flags: string[];
  configEpoch: number;
}

export interface WatchedReplica {
  address: string;
  port: number;
  flags: string[];
  priority: number;
  /** ms since the replica lost its primary; 0 while linked. */
  linkDownMs: number;
  /** ms since this Sentinel last had its INFO; very large when never. */
  infoAgeMs: number;
}

export class SentinelClient {
  readonly connection: RedisConnection;
  readonly #name: string;

  /** @param name the deployment's name, which is the Sentinels' name for the primary. */
  constructor(options: ConnectionOptions, name: string) {
    this.connection = new RedisConnection(options);
    this.#name = name;
  }

  async primary(): Promise<WatchedPrimary> {
    const fields = await this.settings();
    return {
      address: fields['ip'] ?? '',
      port: Number(fields['port']),
      flags: (fields['flags'] ?? '').split(','),
      configEpoch: Number(fields['config-epoch'] ?? 0),
    };
  }

  async replicas(): Promise<WatchedReplica[]> {
    const reply = (await this.connection.call('SENTINEL', 'REPLICAS', this.#name)) as unknown[];
    return reply.map(flatMap).map((fields) => ({
      address: fields['ip'] ?? '',
      port: Number(fields['port']),
      flags: (fields['flags'] ?? '').split(','),
      priority: Number(fields['slave-priority'] ?? 100),
      linkDownMs: Number(fields['master-link-down-time'] ?? 0),
      infoAgeMs: Number(fields['info-refresh'] ?? Number.POSITIVE_INFINITY),
    }));
  }

  /** Whether enough Sentinels are reachable to authorise a failover; the reason when not. */
  async quorum(): Promise<{ ok: boolean; reason: string }> {
    try {
      return { ok: true, reason: String(await this.connection.call('SENTINEL', 'CKQUORUM', this.#name)) };
    } catch (error) {
      return { ok: false, reason: errorText(error) };
    }
  }

  /** Starts a failover without asking the other Sentinels. Throws REDIS_REFUSED with INPROG or NOGOODSLAVE. */
  async failover(): Promise<void> {
    await this.connection.call('SENTINEL', 'FAILOVER', this.#name);
  }

  /** Every field that the Sentinel shows of its primary, by its own names (`quorum`, `failover-timeout`…). */
  async settings(): Promise<Record<string, string>> {
    return flatMap(await this.connection.call('SENTINEL', 'MASTER', this.#name));
  }

  async set(option: string, value: string): Promise<void> {
    await this.connection.call('SENTINEL', 'SET', this.#name, option, value);
  }

  close(): void {
    this.connection.close();
  }
}

/** A Sentinel's event about this deployment, such as `+selected-slave`. */
export interface SentinelEvent {
  /** The channel: `+switch-master`, `+selected-slave`, `+tilt`… */
  name: string;
  message: string;
  /** The instance that the event is about, where it names one. */
  subject: { role: string; address: string; port: number } | undefined;
  /** For `+switch-master`: the new primary. */
  newPrimary: { address: string; port: number } | undefined;
}

/**
 * Understands a Pub/Sub message of a Sentinel; undefined when it speaks of another deployment. Formats:
 * `<role> <id> <ip> <port>[ @ <name> <primary ip> <primary port>]`, and for `+switch-master`
 * `<name> <old ip> <old port> <new ip> <new port>`; `+tilt` and `-tilt` come without an instance.
 */
export function parseSentinelEvent(
  channel: string,
  message: string,
  name: string,
): SentinelEvent | undefined {
  const words = message.split(' ');
  if (channel === '+switch-master') {
    if (words[0] !== name) return undefined;
    const newPrimary = { address: words[3] ?? '', port: Number(words[4]) };
    return { name: channel, message, subject: undefined, newPrimary };
  }
  const [role = '', id = '', address = '', port = ''] = words;
  const named = words[4] === '@' ? words[5] : role === 'master' ? id : undefined;
  if (named !== undefined && named !== name) return undefined;
  const subject = named === undefined ? undefined : { role, address, port: Number(port) };
  return { name: channel, message, subject, newPrimary: undefined };
}

function flatMap(reply: unknown): Record<string, string> {
  const list = reply as string[];
  const fields: Record<string, string> = {};
  for (let i = 0; i + 1 < list.length; i += 2) fields[list[i] as string] = list[i + 1] as string;
  return fields;
}

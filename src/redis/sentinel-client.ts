import { errorText } from '../base/errors.ts';
import { type ConnectionOptions, RedisConnection } from './connection.ts';
import { type Address, describeEndpoint } from './endpoint.ts';
import { RedisRefused } from './errors.ts';
import { parseInfo } from './info.ts';
import {
  type Colleague,
  colleaguesIn,
  fieldsOf,
  type WatchedPrimary,
  type WatchedReplica,
  watchedNames,
  watchedPrimary,
  watchedReplicas,
} from './sentinel-replies.ts';

/** What holdfast asks of a redis-sentinel. */
export class SentinelClient {
  readonly connection: RedisConnection;
  readonly #name: string;
  readonly #where: string;

  /** @param name the deployment's name, which is the Sentinels' name for the primary. */
  constructor(options: ConnectionOptions, name: string) {
    this.connection = new RedisConnection(options);
    this.#name = name;
    this.#where = describeEndpoint(options.endpoint);
  }

  async primary(): Promise<WatchedPrimary> {
    const found = watchedPrimary(await this.connection.call('SENTINEL', 'MASTER', this.#name));
    return found ?? this.#unreadable('MASTER');
  }

  async replicas(): Promise<WatchedReplica[]> {
    return watchedReplicas(await this.connection.call('SENTINEL', 'REPLICAS', this.#name));
  }

  /** The other Sentinels of the deployment that it knows. */
  async colleagues(): Promise<Colleague[]> {
    return colleaguesIn(await this.connection.call('SENTINEL', 'SENTINELS', this.#name));
  }

  /** By which the others know it: 40 hexadecimal digits. */
  async myId(): Promise<string> {
    return String(await this.connection.call('SENTINEL', 'MYID'));
  }

  /** Forgets replicas and other Sentinels, and learns anew who is there. */
  async reset(): Promise<void> {
    await this.connection.call('SENTINEL', 'RESET', this.#name);
  }

  /** Whether enough Sentinels are reachable to authorise a failover; the reason when not. */
  async quorum(): Promise<{ ok: boolean; reason: string }> {
    try {
      return { ok: true, reason: String(await this.connection.call('SENTINEL', 'CKQUORUM', this.#name)) };
    } catch (error) {
      return { ok: false, reason: errorText(error) };
    }
  }

  /** Whether it is in TILT: it waits for 30 s because its clock or its own turns were late, and acts on nothing. */
  async tilt(): Promise<boolean> {
    return parseInfo(String(await this.connection.call('INFO', 'sentinel')))['sentinel_tilt'] === '1';
  }

  /** Starts a failover without asking the other Sentinels. Throws REDIS_REFUSED with INPROG or NOGOODSLAVE. */
  async failover(): Promise<void> {
    await this.connection.call('SENTINEL', 'FAILOVER', this.#name);
  }

  /** Every field that the Sentinel shows of its primary, by its own names (`quorum`, `failover-timeout`…). */
  async settings(): Promise<Record<string, string>> {
    return (
      fieldsOf(await this.connection.call('SENTINEL', 'MASTER', this.#name)) ?? this.#unreadable('MASTER')
    );
  }

  /** The names of all that it watches: other deployments' too, when somebody told it so. */
  async watched(): Promise<(Address & { name: string })[]> {
    return watchedNames(await this.connection.call('SENTINEL', 'MASTERS'));
  }

  /** Watches this primary from now on. It must not watch one of this name already. */
  async monitor({ address, port }: Address, quorum: number): Promise<void> {
    await this.connection.call('SENTINEL', 'MONITOR', this.#name, address, String(port), String(quorum));
  }

  /** Forgets the primary, and all that it knew of it. */
  async remove(): Promise<void> {
    await this.connection.call('SENTINEL', 'REMOVE', this.#name);
  }

  async set(option: string, value: string): Promise<void> {
    await this.connection.call('SENTINEL', 'SET', this.#name, option, value);
  }

  /** The rules of the user whom all who talk to it are, as ACL LIST has them. */
  async userRules(): Promise<string[]> {
    const lines = (await this.connection.call('ACL', 'LIST')) as string[];
    return (lines.find((line) => line.startsWith('user default ')) ?? '').split(' ').slice(2);
  }

  /** Makes these its only rules, for all who log in from now on. */
  async setUserRules(rules: readonly string[]): Promise<void> {
    await this.connection.call('ACL', 'SETUSER', 'default', 'reset', ...rules);
  }

  /** Beside those that it has. @param digests as `#` and SHA-256 */
  async addPasswords(digests: readonly string[]): Promise<void> {
    await this.connection.call('ACL', 'SETUSER', 'default', ...digests);
  }

  /** With which it talks to the other Sentinels. */
  async setOwnPassword(password: string): Promise<void> {
    await this.connection.call('SENTINEL', 'CONFIG', 'SET', 'sentinel-pass', password);
  }

  /** Writes all that it knows into its file. */
  async flush(): Promise<void> {
    await this.connection.call('SENTINEL', 'FLUSHCONFIG');
  }

  close(): void {
    this.connection.close();
  }

  #unreadable(command: string): never {
    throw RedisRefused(`${this.#where} answered SENTINEL ${command} with something else`, {
      hint: 'What listens there is no Sentinel, or of a version that holdfast does not know.',
    });
  }
}

import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { findHaproxy } from '../agent/preflight.ts';
import { findRedisServer } from '../agent/server-program.ts';
import { errorText, HoldfastError } from '../base/errors.ts';
import { waitFor } from '../base/retry.ts';
import { freePorts } from '../process/free-ports.ts';
import { TestbedFailed } from './errors.ts';
import { isAlive, killAllOf } from './leftovers.ts';
import type { Listener } from './listener.ts';
import { NetworkHosts } from './network-hosts.ts';
import {
  type PlainPlace,
  type PlainTimes,
  plainHaproxyCfg,
  plainRedisConf,
  plainSentinelConf,
  tutorialTimes,
} from './plain-config.ts';
import { askSentinel, roleAt, serversUp } from './plain-questions.ts';
import type { ProcessKind, Testbed, TestbedLog, TestbedProcess, TestbedSettings } from './testbed.ts';

const wholeWithinMs = 60_000;
const threeHosts = ['a', 'b', 'c'];

interface PlainProcess extends PlainPlace {
  kind: ProcessKind;
  host: string;
  pid: number | null;
}

/** Where it is not as the tutorial has it. */
export interface PlainOptions {
  sentinel?: PlainTimes;
  /** False: no HAProxy; clients ask the Sentinels. */
  gates?: boolean;
}

/**
 * Sentinel and HAProxy as people set them up today, with nobody who heals: what dies is started again when the drill
 * says so, as a person or a supervisor would.
 */
export class PlainTestbed implements Testbed {
  readonly name = 'Sentinel + HAProxy';
  readonly heals = false;
  readonly hosts: readonly string[];
  readonly #settings: TestbedSettings;
  readonly #options: PlainOptions;
  readonly #processes: PlainProcess[] = [];
  #folder = '';
  #redis = '';
  #haproxy = '';
  #network: NetworkHosts | null = null;

  constructor(settings: TestbedSettings, options: PlainOptions = {}) {
    this.#settings = settings;
    this.#options = options;
    this.hosts = settings.hosts === 'one' ? ['local'] : threeHosts;
  }

  /** Why it can't be run here, or null. */
  static async whyNot(): Promise<string | null> {
    try {
      await findRedisServer();
      findHaproxy();
      return null;
    } catch (error) {
      return error instanceof HoldfastError && error.code === 'PROGRAM_MISSING'
        ? 'redis-server or haproxy is not installed'
        : errorText(error);
    }
  }

  async start(): Promise<void> {
    // At once, so that a stop that comes early knows of it.
    this.#folder = mkdtempSync(path.join(tmpdir(), 'hfp-'));
    this.#redis = (await findRedisServer()).program;
    if (this.#options.gates !== false) this.#haproxy = findHaproxy();
    await this.#place();
    const [primary] = this.#of('member') as [PlainProcess];
    for (const one of this.#processes) {
      mkdirSync(path.join(one.folder, 'data'), { recursive: true, mode: 0o700 });
      await writeFile(configOf(one), this.#configText(one, primary), { mode: 0o600 });
      this.#run(one);
    }
    const isWhole = () => this.isWhole();
    await waitFor(isWhole, { what: 'Sentinel + HAProxy to be up', withinMs: wholeWithinMs, everyMs: 100 });
  }

  async stop(): Promise<void> {
    if (this.#folder === '') return;
    try {
      await killAllOf(this.#folder);
      await this.#network?.destroy();
    } finally {
      await rm(this.#folder, { recursive: true, force: true, maxRetries: 5 });
    }
  }

  async listeners(hosts = this.hosts): Promise<Listener[]> {
    const listeners: Listener[] = [];
    for (const { id, host, address, port } of this.#of('gate')) {
      if (!hosts.includes(host)) continue;
      listeners.push({ id, to: 'primary', host, endpoint: await this.#reach(host, address, port) });
      const readOnly = await this.#reach(host, address, port + 1);
      listeners.push({ id: `${id} read-only`, to: 'replica', host, endpoint: readOnly });
    }
    return listeners;
  }

  /** Where clients on this machine ask who is primary. */
  get sentinels(): { host: string; port: number }[] {
    return this.#of('sentinel').map(({ address, port }) => ({ host: address, port }));
  }

  async processes(): Promise<TestbedProcess[]> {
    return this.#processes.map(({ id, kind, host, pid }) => ({ id, kind, host, pid }));
  }

  async primary(): Promise<string | null> {
    const votes = new Map<string, number>();
    for (const one of this.#of('sentinel')) {
      const named = await askSentinel(one, (client) => client.primary());
      const id = this.#processes.find(
        ({ address, port }) => address === named?.address && port === named.port,
      )?.id;
      if (id !== undefined) votes.set(id, (votes.get(id) ?? 0) + 1);
    }
    const named = [...votes].find(([, count]) => count >= 2)?.[0];
    if (named === undefined) return null;
    const role = await roleAt(this.direct(named));
    return role?.role === 'primary' ? named : null;
  }

  direct(member: string): Pick<Listener, 'endpoint'> {
    return { endpoint: { path: path.join(this.#processOf(member).folder, 'sock') } };
  }

  async isWhole(): Promise<boolean> {
    const named = await Promise.all(
      this.#of('sentinel').map((one) => askSentinel(one, (client) => client.settings())),
    );
    const [first] = named;
    const agree = named.every(
      (each) =>
        each?.['port'] === first?.['port'] &&
        each?.['ip'] === first?.['ip'] &&
        each?.['flags'] === 'master' &&
        each['num-slaves'] === '2' &&
        each['num-other-sentinels'] === '2',
    );
    if (!agree) return false;
    const roles = await Promise.all(this.#of('member').map(({ id }) => roleAt(this.direct(id))));
    const linked = roles.filter((role) => role?.role === 'replica' && role.link === 'connected').length;
    if (linked !== 2 || roles.filter((role) => role?.role === 'primary').length !== 1) return false;
    const gates = await Promise.all(this.#of('gate').map((one) => serversUp(path.join(one.folder, 'sock'))));
    return gates.every((up) => up === 1);
  }

  async signal(id: string, signal: NodeJS.Signals): Promise<void> {
    const one = this.#processOf(id);
    if (one.pid === null) throw TestbedFailed(`${id} does not run and can't be sent ${signal}`);
    process.kill(one.pid, signal);
    const { pid } = one;
    if (signal === 'SIGKILL') await waitFor(() => !isAlive(pid), { what: `${id} to die`, withinMs: 5000 });
  }

  async killAgent(): Promise<void> {}

  async sabotageAgent(): Promise<void> {}

  async killEverything(): Promise<void> {
    await killAllOf(this.#folder);
  }

  async revive(): Promise<void> {
    for (const one of this.#processes) {
      if (one.pid === null || !isAlive(one.pid)) this.#run(one);
      // What was stopped goes on.
      else process.kill(one.pid, 'SIGCONT');
    }
  }

  async wipe(member: string): Promise<void> {
    const data = path.join(this.#processOf(member).folder, 'data');
    await rm(data, { recursive: true, force: true });
    mkdirSync(data, { mode: 0o700 });
  }

  /** SENTINEL FAILOVER is what there is for a planned change. */
  async switchover(): Promise<string> {
    const before = await this.primary();
    const [first] = this.#of('sentinel') as [PlainProcess];
    await askSentinel(first, (client) => client.failover());
    const changed = async () => {
      const now = await this.primary();
      return now !== before && now !== null ? now : undefined;
    };
    return waitFor(changed, { what: 'the Sentinels to name another primary', withinMs: wholeWithinMs });
  }

  async failover(): Promise<void> {
    await this.switchover();
  }

  /** Nobody here refuses anything. */
  async refusal(): Promise<null> {
    return null;
  }

  knowsDataOf(): boolean {
    return true;
  }

  /** The one who restarts a dead primary here does not wait for the Sentinels: there is no need. */
  async setEligible(): Promise<void> {}

  /** Replicas first, then a failover, then the old primary. */
  async rollingRestart(): Promise<void> {
    const before = await this.primary();
    for (const { id } of this.#of('member')) if (id !== before) await this.#restart(id);
    await this.switchover();
    if (before !== null) await this.#restart(before);
  }

  setCutOff(host: string, cutOff: boolean): void {
    this.#network?.setCutOff(host, cutOff);
  }

  setMute(host: string, mute: boolean): void {
    this.#network?.setMute(host, mute);
  }

  setApart(hosts: readonly [string, string], apart: boolean): void {
    this.#network?.setApart(hosts, apart);
  }

  async loseHost(host: string): Promise<void> {
    this.#network?.setCable(host, 'out');
    await this.#network?.killAll(host);
  }

  async returnHost(host: string): Promise<void> {
    this.#network?.setCable(host, 'in');
    await this.revive();
  }

  logs(): TestbedLog[] {
    return this.#processes.map(({ id, kind, folder }) => ({
      process: id,
      kind,
      file: path.join(folder, 'log'),
    }));
  }

  async #restart(id: string): Promise<void> {
    const one = this.#processOf(id);
    await this.signal(id, 'SIGTERM');
    const { pid } = one;
    const gone = () => pid === null || !isAlive(pid);
    await waitFor(gone, { what: `${id} to stop`, withinMs: 10_000 });
    this.#run(one);
    const isBack = async () => {
      const role = await roleAt(this.direct(id));
      return role?.role === 'replica' && role.link === 'connected';
    };
    await waitFor(isBack, { what: `${id} to follow again`, withinMs: wholeWithinMs, everyMs: 50 });
  }

  async #place(): Promise<void> {
    const network = this.#settings.hosts === 'three' ? NetworkHosts.create(this.hosts) : null;
    this.#network = network;
    const first = network ? 6379 : await freePorts(8);
    for (let i = 0; i < 3; i++) {
      const host = network ? (this.hosts[i] as string) : 'local';
      const address = network ? network.addressOf(host) : '127.0.0.1';
      const add = (kind: ProcessKind, id: string, port: number) =>
        this.#processes.push({
          id,
          kind,
          host,
          address,
          port,
          folder: path.join(this.#folder, id),
          pid: null,
        });
      add('member', `redis-${i + 1}`, network ? first : first + i);
      add('sentinel', `sentinel-${i + 1}`, network ? 26_379 : first + 3 + i);
      if (this.#options.gates === false) continue;
      if (network || i === 0) add('gate', `gate-${i + 1}`, network ? 6380 : first + 6);
    }
  }

  #configText(one: PlainProcess, primary: PlainProcess): string {
    switch (one.kind) {
      case 'member':
        return plainRedisConf(one, one === primary ? null : primary, this.#settings.persistence);
      case 'sentinel':
        return plainSentinelConf(one, primary, this.#options.sentinel ?? tutorialTimes);
      case 'gate':
        return plainHaproxyCfg({ ...one, readOnlyPort: one.port + 1 }, this.#of('member'));
    }
  }

  #run(one: PlainProcess): void {
    const file = configOf(one);
    const own = one.kind === 'gate' ? [this.#haproxy, '-db', '-f', file] : [this.#redis, file];
    if (one.kind === 'sentinel') own.push('--sentinel');
    const [program, ...args] = [...(this.#network?.on(one.host) ?? []), ...own];
    const log = openSync(path.join(one.folder, 'log'), 'a', 0o600);
    try {
      const child = spawn(program as string, args, {
        cwd: path.join(one.folder, 'data'),
        detached: true,
        stdio: ['ignore', log, log],
      });
      child.on('error', () => {});
      child.unref();
      // `ip netns exec` becomes the program itself.
      one.pid = child.pid ?? null;
    } finally {
      closeSync(log);
    }
  }

  #of(kind: ProcessKind): PlainProcess[] {
    return this.#processes.filter((one) => one.kind === kind);
  }

  #processOf(id: string): PlainProcess {
    const one = this.#processes.find((each) => each.id === id);
    if (!one) throw TestbedFailed(`there is no ${id}`);
    return one;
  }

  async #reach(host: string, address: string, port: number): Promise<Listener['endpoint']> {
    if (this.#network === null) return { host: address, port };
    return { path: await this.#network.relay(host, address, port) };
  }
}

function configOf({ kind, folder }: PlainProcess): string {
  return path.join(folder, kind === 'gate' ? 'haproxy.cfg' : 'redis.conf');
}

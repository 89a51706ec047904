import { spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { AgentClient } from '../agent/api/agent-client.ts';
import type { Status } from '../agent/api/status-answer.ts';
import type { SwitchoverResult } from '../agent/change/switchover.ts';
import { type StatePaths, statePaths } from '../agent/state/paths.ts';
import { errorText } from '../base/errors.ts';
import { waitFor } from '../base/retry.ts';
import type { Sabotage } from '../base/sabotage.ts';
import type { TlsTexts } from '../redis/endpoint.ts';
import { deriveSecrets } from '../spec/secrets.ts';
import type { Spec } from '../spec/spec.ts';
import { TestbedFailed } from './errors.ts';
import { isAlive, killAllOf } from './leftovers.ts';
import type { Listener } from './listener.ts';
import { knownPriorities, neverPromoted, setPriority, usualPriority } from './member-priority.ts';
import { NetworkHosts } from './network-hosts.ts';
import { runApart } from './run-apart.ts';
import { sabotagedEnvironment } from './sabotaged-agent.ts';
import { sentinelsAreFree } from './sentinels-free.ts';
import type { Testbed, TestbedLog, TestbedProcess, TestbedSettings } from './testbed.ts';
import { specName } from './testbed-spec.ts';
import { specFileOf, writeSpecs } from './write-specs.ts';

const threeHosts = ['a', 'b', 'c'];
const wholeWithinMs = 60_000;
const agentGoneWithinMs = 5000;
/** The testbed is thrown away: its passwords protect nothing, but they are passwords all the same. */
const secretBytes = 24;

/** holdfast, run by its own command in the background: an agent on each host. */
export class HoldfastTestbed implements Testbed {
  readonly name = 'holdfast';
  readonly heals = true;
  readonly hosts: readonly string[];
  readonly #settings: TestbedSettings;
  #folder = '';
  #network: NetworkHosts | null = null;
  #spec: Spec | null = null;
  #password: string | null = null;
  #tls: TlsTexts | undefined;

  constructor(settings: TestbedSettings) {
    this.#settings = settings;
    this.hosts = settings.hosts === 'one' ? ['local'] : threeHosts;
  }

  async start(): Promise<void> {
    // At once, so that a stop that comes early knows of it.
    this.#folder = mkdtempSync(path.join(tmpdir(), 'hfd-'));
    if (this.#settings.hosts === 'three') this.#network = NetworkHosts.create(this.hosts);
    const secret = Buffer.from(crypto.getRandomValues(new Uint8Array(secretBytes))).toString('base64url');
    await writeFile(path.join(this.#folder, 'secret'), `${secret}\n`, { mode: 0o600 });
    const { spec, tls } = await writeSpecs(this.#settings, this.#folder, this.hosts, this.#network);
    this.#spec = spec;
    this.#tls = tls;
    this.#password = deriveSecrets(spec, secret, {}).defaultPassword;
    await Promise.all(this.hosts.map((host) => this.#up(host)));
    const isWhole = () => this.isWhole();
    await waitFor(isWhole, { what: 'a healthy deployment', withinMs: wholeWithinMs, everyMs: 50 });
    const areFree = () => sentinelsAreFree(this.logs(), this.#known.sentinel.failoverTimeoutMs);
    await waitFor(areFree, {
      what: 'the Sentinels to be free for a failover',
      withinMs: wholeWithinMs,
      everyMs: 100,
    });
  }

  async stop(): Promise<void> {
    if (this.#folder === '') return;
    try {
      await this.killEverything();
      await this.#network?.destroy();
    } finally {
      await rm(this.#folder, { recursive: true, force: true, maxRetries: 5 });
    }
  }

  async listeners(hosts = this.hosts): Promise<Listener[]> {
    const listeners: Listener[] = [];
    for (const { id, host, address, port, replicaPort } of this.#known.gates) {
      if (!hosts.includes(host)) continue;
      const access = { ...this.#credentials(), tls: this.#tls };
      const endpoint = await this.#reach(host, address, port);
      listeners.push({ id, to: 'primary', host, endpoint, ...access });
      if (replicaPort === null) continue;
      const readOnly = await this.#reach(host, address, replicaPort);
      listeners.push({ id: `${id} read-only`, to: 'replica', host, endpoint: readOnly, ...access });
    }
    return listeners;
  }

  async processes(): Promise<TestbedProcess[]> {
    const all = await Promise.all(this.hosts.map((host) => this.#partsOf(host)));
    return all.flat();
  }

  async primary(): Promise<string | null> {
    const words = await Promise.all(this.hosts.map((host) => this.#status(host).catch(() => null)));
    const serving = words.filter((each) => each !== null && each.state !== 'down' && each.epoch >= 0);
    const [newest] = serving.toSorted((a, b) => (b?.epoch ?? 0) - (a?.epoch ?? 0));
    return newest?.primary ?? null;
  }

  direct(member: string): Pick<Listener, 'endpoint' | 'credentials'> {
    const { socket } = this.#paths(this.#hostOf(member)).member(member);
    return { endpoint: { path: socket }, ...this.#credentials() };
  }

  async isWhole(): Promise<boolean> {
    const all = await Promise.all(this.hosts.map((host) => this.#status(host)));
    return (
      all.every(({ state }) => state === 'healthy') && new Set(all.map((each) => each.primary)).size === 1
    );
  }

  async signal(id: string, signal: NodeJS.Signals): Promise<void> {
    const pid = (await this.processes()).find((each) => each.id === id)?.pid;
    if (!pid) throw TestbedFailed(`${id} does not run and can't be sent ${signal}`);
    process.kill(pid, signal);
  }

  /** @throws when none runs there */
  async agentPid(host: string): Promise<number> {
    return (JSON.parse(await readFile(this.#paths(host).agentRecord, 'utf8')) as { pid: number }).pid;
  }

  async killAgent(host: string): Promise<void> {
    const pid = await this.agentPid(host);
    process.kill(pid, 'SIGKILL');
    await waitFor(() => !isAlive(pid), { what: 'the agent to be gone', withinMs: agentGoneWithinMs });
  }

  async sabotageAgent(host: string, way: Sabotage): Promise<void> {
    await this.killAgent(host);
    await this.#up(host, sabotagedEnvironment(way));
  }

  async killEverything(): Promise<void> {
    await killAllOf(this.#folder);
  }

  async revive(): Promise<void> {
    await Promise.all(
      this.hosts.map(async (host) => {
        if (!(await this.#answers(host))) await this.#restartAgent(host);
      }),
    );
  }

  async wipe(member: string): Promise<void> {
    const { dataDir } = this.#paths(this.#hostOf(member)).member(member);
    for (const each of readdirSync(dataDir))
      await rm(path.join(dataDir, each), { recursive: true, force: true });
  }

  async switchover(): Promise<string> {
    return (await this.plannedSwitchover()).to;
  }

  /** The same, with the agent's own times. */
  async plannedSwitchover(): Promise<SwitchoverResult> {
    const host = this.hosts[0] as string;
    return (await this.#agent(host).run('switchover', {}, () => {})) as SwitchoverResult;
  }

  /** The same by the command that people use. @param to whom to make primary; null to leave that to it. */
  async runSwitchover(to: string | null): Promise<SwitchoverResult> {
    const stateDir = path.join(this.#folder, this.hosts[0] as string);
    const target = to === null ? [] : ['--to', to];
    const args = [
      'switchover',
      specFileOf(this.#folder, this.hosts[0] as string),
      ...target,
      '--state-dir',
      stateDir,
      '--json',
    ];
    const answer = await runApart(process.execPath, [process.argv[1] as string, ...args], this.#folder);
    return JSON.parse(answer) as SwitchoverResult;
  }

  /** Whether every Sentinel names this member. */
  async sentinelsName(member: string): Promise<boolean> {
    const { sentinels } = await this.#status(this.hosts[0] as string);
    return sentinels.every(({ primary }) => primary === member);
  }

  async failover(to?: string): Promise<void> {
    const host = to === undefined ? (this.hosts[0] as string) : this.#hostOf(to);
    await this.#agent(host).run('failover', to === undefined ? {} : { to }, () => {});
  }

  async refusal(member: string): Promise<string | null> {
    const { members } = await this.#status(this.#hostOf(member));
    return members.find(({ id }) => id === member)?.refusal ?? null;
  }

  knowsDataOf(member: string): boolean {
    const file = this.#paths(this.#hostOf(member)).member(member).memory;
    return (JSON.parse(readFileSync(file, 'utf8')) as { keys: number }).keys > 0;
  }

  async setEligible(members: readonly string[], eligible: boolean): Promise<void> {
    for (const id of members) await setPriority(this.direct(id), eligible ? usualPriority : neverPromoted);
    if (eligible) return;
    const ports = this.#known.members.filter(({ id }) => members.includes(id)).map(({ port }) => port);
    const known = async () => {
      const { sentinels } = this.#known;
      const lists = await Promise.all(sentinels.map((place) => knownPriorities(place, specName, this.#tls)));
      return lists.every((list) => ports.every((port) => list.get(port) === neverPromoted));
    };
    const what = 'the Sentinels to learn whom not to promote (they ask every 10 s)';
    await waitFor(known, { what, withinMs: wholeWithinMs, everyMs: 100 });
  }

  async rollingRestart(): Promise<void> {
    for (const host of this.hosts) await this.#agent(host).run('restart', { rolling: true }, () => {});
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
    await this.#up(host);
  }

  logs(): TestbedLog[] {
    const { members, sentinels, gates } = this.#known;
    const kind = this.#settings.topology === 'mirror' ? ('elections' as const) : ('events' as const);
    return [
      ...this.hosts.map((host) => ({
        process: host,
        kind,
        file: this.#paths(host).events,
      })),
      ...members.map(({ id, host }) => ({
        process: id,
        kind: 'member' as const,
        file: this.#paths(host).member(id).log,
      })),
      ...sentinels.map(({ id, host }) => ({
        process: id,
        kind: 'sentinel' as const,
        file: this.#paths(host).sentinel(id).log,
      })),
      ...gates.map(({ id, host }) => ({
        process: id,
        kind: 'gate' as const,
        file: this.#paths(host).gate(id).log,
      })),
    ];
  }

  get #known(): Spec {
    if (this.#spec === null) throw TestbedFailed('the deployment for the drill was not started');
    return this.#spec;
  }

  #hostOf(member: string): string {
    const place = this.#known.members.find(({ id }) => id === member);
    if (!place) throw TestbedFailed(`there is no ${member}`);
    return place.host;
  }

  #paths(host: string): StatePaths {
    return statePaths(path.join(this.#folder, host));
  }

  #agent(host: string): AgentClient {
    return new AgentClient(this.#paths(host));
  }

  #status(host: string): Promise<Status> {
    return this.#agent(host).status();
  }

  async #answers(host: string): Promise<boolean> {
    return (await this.#status(host).catch(() => null)) !== null;
  }

  #credentials(): { credentials?: { username: string; password: string } } {
    return this.#password === null ? {} : { credentials: { username: 'default', password: this.#password } };
  }

  /** A host of another network is reached through a socket that leads there. */
  async #reach(host: string, address: string, port: number): Promise<Listener['endpoint']> {
    if (this.#network === null) return { host: address, port };
    return { path: await this.#network.relay(host, address, port), leadsTo: address };
  }

  async #partsOf(host: string): Promise<TestbedProcess[]> {
    const status = await this.#status(host).catch(() => null);
    if (status === null) return [];
    const own = <T extends { host: string }>(list: readonly T[]) => list.filter((each) => each.host === host);
    const toProcess = (kind: TestbedProcess['kind']) => (each: { id: string; pid: number | null }) => ({
      id: each.id,
      kind,
      host,
      pid: each.pid,
    });
    return [
      ...own(status.members).map(toProcess('member')),
      ...own(status.sentinels).map(toProcess('sentinel')),
      ...own(status.gates).map(toProcess('gate')),
    ];
  }

  /** As systemd does: in the foreground, and nobody waits for it to be ready. */
  async #restartAgent(host: string): Promise<void> {
    const [program, ...before] = [...(this.#network?.on(host) ?? []), process.execPath];
    const stateDir = path.join(this.#folder, host);
    const log = openSync(path.join(stateDir, 'agent.log'), 'a', 0o600);
    try {
      const args = [...before, process.argv[1] as string, ...this.#upArgs(host)];
      spawn(program as string, args, {
        cwd: this.#folder,
        detached: true,
        stdio: ['ignore', log, log],
      }).unref();
    } finally {
      closeSync(log);
    }
    await waitFor(() => this.#answers(host), {
      what: `the agent of ${host}`,
      withinMs: wholeWithinMs,
      everyMs: 20,
    });
  }

  #upArgs(host: string): string[] {
    const where = this.hosts.length > 1 ? ['--host', host] : [];
    return ['up', specFileOf(this.#folder, host), ...where, '--state-dir', path.join(this.#folder, host)];
  }

  async #up(host: string, environment?: NodeJS.ProcessEnv): Promise<void> {
    const stateDir = path.join(this.#folder, host);
    const args = [...this.#upArgs(host), '--detach'];
    const [program, ...before] = [...(this.#network?.on(host) ?? []), process.execPath];
    await runApart(
      program as string,
      [...before, process.argv[1] as string, ...args],
      this.#folder,
      environment,
    ).catch(async (cause) => {
      const log = await readFile(path.join(stateDir, 'agent.log'), 'utf8').catch(() => '');
      throw TestbedFailed(`the deployment for the drill did not start: ${errorText(cause)}`, {
        hint: log.trim().split('\n').slice(-5).join(' / ') || 'Its agent wrote no log.',
        cause,
      });
    });
  }
}

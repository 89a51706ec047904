import path from 'node:path';
import type { AgentClient } from '../agent/api/agent-client.ts';
import type { Status } from '../agent/api/status-answer.ts';
import type { SwitchoverResult } from '../agent/change/switchover.ts';
import type { StatePaths } from '../agent/state/paths.ts';
import type { Credentials, TlsTexts } from '../redis/endpoint.ts';
import type { Spec } from '../spec/spec.ts';
import { TestbedFailed, TestbedUnfit } from './errors.ts';
import type { Listener } from './listener.ts';
import type { Testbed, TestbedLog, TestbedProcess } from './testbed.ts';

export interface LiveSettings {
  spec: Spec;
  paths: StatePaths;
  agent: AgentClient;
  /** Whom the drill's clients log in as; undefined where nobody must. */
  credentials: Credentials | undefined;
  tls: TlsTexts | undefined;
}

/**
 * A deployment that people depend on, as the agent of this host sees it. Only what this host runs is touched, and
 * only in ways that a scenario calls safe: there is no wiping, no cutting off, no killing of everything here.
 */
export class LiveTestbed implements Testbed {
  readonly name: string;
  readonly heals = true;
  readonly hosts: readonly string[];
  readonly #live: LiveSettings;

  constructor(live: LiveSettings) {
    this.#live = live;
    this.name = live.spec.name;
    this.hosts = live.spec.hosts.map(({ id }) => id);
  }

  async start(): Promise<void> {
    const { state, problems, paused, operation } = await this.#status();
    if (state !== 'healthy' || paused || operation !== null) {
      const why = [...problems, ...(operation === null ? [] : [`${operation} is under way`])].join('; ');
      throw TestbedUnfit(`${this.name} is not fit for a drill: ${why || state}`, {
        hint: 'A drill begins only where everything is healthy: see holdfast status.',
      });
    }
    if (this.#live.spec.gates.length === 0) {
      throw TestbedUnfit(`${this.name} has no gate, and a drill’s clients come through one`);
    }
  }

  /** What runs is left as it is. */
  async stop(): Promise<void> {}

  async listeners(hosts = this.hosts): Promise<Listener[]> {
    const { credentials, tls, spec } = this.#live;
    return spec.gates
      .filter(({ host }) => hosts.includes(host))
      .flatMap(({ id, host, address, port, replicaPort }) => {
        const listener = (name: string, to: Listener['to'], at: number): Listener => ({
          ...{ id: name, to, host, credentials, tls },
          endpoint: { host: address, port: at },
        });
        const readOnly = replicaPort === null ? [] : [listener(`${id} read-only`, 'replica', replicaPort)];
        return [listener(id, 'primary', port), ...readOnly];
      });
  }

  /** Those of this host first: a scenario takes the first that fits. */
  async processes(): Promise<TestbedProcess[]> {
    const { members, sentinels, gates } = await this.#status();
    const toProcess =
      (kind: TestbedProcess['kind']) => (each: { id: string; host: string; pid: number | null }) => ({
        ...{ id: each.id, host: each.host, pid: each.pid },
        kind,
      });
    const all = [
      ...members.map(toProcess('member')),
      ...sentinels.map(toProcess('sentinel')),
      ...gates.map(toProcess('gate')),
    ];
    return all.toSorted((a, b) => Number(a.pid === null) - Number(b.pid === null));
  }

  async primary(): Promise<string | null> {
    const { primary, state } = await this.#status();
    return state === 'down' ? null : primary;
  }

  direct(member: string): Pick<Listener, 'endpoint' | 'credentials' | 'tls'> {
    const place = this.#live.spec.members.find(({ id }) => id === member);
    if (!place) throw TestbedFailed(`there is no ${member}`);
    const { credentials, tls } = this.#live;
    return { endpoint: { host: place.address, port: place.port }, credentials, tls };
  }

  async isWhole(): Promise<boolean> {
    return (await this.#status()).state === 'healthy';
  }

  async signal(id: string, signal: NodeJS.Signals): Promise<void> {
    const found = (await this.processes()).find((each) => each.id === id);
    if (!found?.pid) {
      throw TestbedUnfit(`${id} does not run on this host`, {
        hint: `Run the drill on host ${found?.host ?? 'that runs it'}.`,
      });
    }
    process.kill(found.pid, signal);
  }

  async switchover(): Promise<string> {
    return ((await this.#live.agent.run('switchover', {}, () => {})) as SwitchoverResult).to;
  }

  async rollingRestart(): Promise<void> {
    if (this.hosts.length > 1) {
      throw TestbedUnfit(`${this.name} has several hosts, and this agent restarts only its own members`, {
        hint: 'Run holdfast restart --rolling on one host after the other.',
      });
    }
    await this.#live.agent.run('restart', {}, () => {});
  }

  /** Of several hosts only the agent's own word of the others is here; and a standalone member's log does not tell that it leads. */
  logs(): TestbedLog[] {
    const { spec, paths } = this.#live;
    const events = { process: 'this host', file: paths.events };
    if (spec.hosts.length > 1) return [{ ...events, kind: 'words' }];
    const log =
      (kind: TestbedProcess['kind'], folder: (id: string) => { folder: string }) =>
      (place: { id: string }) => ({
        process: place.id,
        kind,
        file: path.join(folder(place.id).folder, 'log'),
      });
    return [
      { ...events, kind: spec.mirror === null ? 'events' : 'words' },
      ...spec.members.map(log('member', paths.member)),
      ...spec.sentinels.map(log('sentinel', paths.sentinel)),
      ...spec.gates.map(log('gate', paths.gate)),
    ];
  }

  failover(): Promise<void> {
    return refuse('a forced failover');
  }
  refusal(): Promise<null> {
    return refuse('waiting for a refusal');
  }
  knowsDataOf(): boolean {
    return false;
  }
  setEligible(): Promise<void> {
    return refuse('a change of priorities');
  }
  killEverything(): Promise<void> {
    return refuse('killing everything');
  }
  async revive(): Promise<void> {}
  wipe(): Promise<void> {
    return refuse('deleting data');
  }
  sabotageAgent(): Promise<void> {
    return refuse('sabotage');
  }
  killAgent(): Promise<void> {
    return refuse('the death of an agent');
  }

  setCutOff(): void {
    throw TestbedFailed('cutting a host off is not for a live deployment');
  }
  setMute(): void {
    this.setCutOff();
  }
  setApart(): void {
    this.setCutOff();
  }
  loseHost(): Promise<void> {
    return refuse('switching a host off');
  }
  returnHost(): Promise<void> {
    return refuse('switching a host on');
  }

  #status(): Promise<Status> {
    return this.#live.agent.status();
  }
}

async function refuse(what: string): Promise<never> {
  throw TestbedFailed(`${what} is not for a live deployment`);
}

import { fileURLToPath } from 'node:url';
import { writeFileIfNew } from '../../base/atomic-file.ts';
import { errorText } from '../../base/errors.ts';
import { type GateConfig, type GateConfigInput, gateConfig } from '../../gate/config.ts';
import type { GateStatus } from '../../gate/control/control-api.ts';
import { GateControl } from '../../gate/control/control-client.ts';
import type { ProcessCommand } from '../../process/spawn-held.ts';
import { gateSettings } from '../../render/gate-settings.ts';
import { bindAddresses } from '../../spec/bind.ts';
import type { GatePlace, Host, Member, Spec } from '../../spec/spec.ts';
import type { Deployment } from '../deployment.ts';
import type { UnitPaths } from '../state/paths.ts';
import type { GateAdapter, GateObservation } from './gate-adapter.ts';
import { gateMirror, gateRoute } from './gate-routes.ts';

const mainFile = fileURLToPath(new URL('../../gate/main.js', import.meta.url));

/** holdfast's own gate on this host: told over its control socket. */
export class OwnGate implements GateAdapter {
  readonly #deployment: Deployment;
  readonly #place: GatePlace;
  readonly #paths: UnitPaths;
  readonly #control: GateControl;
  #seen: GateObservation = { state: 'down', clients: 0 };
  /** The process whose workers were last counted. */
  #pid = 0;
  #workerRestarts = 0;

  constructor(deployment: Deployment, place: GatePlace, paths: UnitPaths) {
    this.#deployment = deployment;
    this.#place = place;
    this.#paths = paths;
    this.#control = new GateControl(paths.socket);
  }

  get seen(): GateObservation {
    return this.#seen;
  }

  async configure(): Promise<void> {
    await this.#writeConfig();
    this.#seen = { state: 'down', clients: 0 };
  }

  async tellPlaces(): Promise<string | null> {
    const { members, sentinels, memberCredentials, sentinelCredentials } = await this.#writeConfig();
    const passwords = {
      member: memberCredentials?.password ?? null,
      sentinel: sentinelCredentials?.password ?? null,
    };
    try {
      await this.#control.places({ members, sentinels, passwords });
      return null;
    } catch (error) {
      return errorText(error);
    }
  }

  async #writeConfig(): Promise<GateConfig> {
    const config = gateConfig(gateInput(this.#deployment, this.#place, this.#paths.socket));
    await writeFileIfNew(this.#paths.config, `${JSON.stringify(config, null, 2)}\n`);
    return config;
  }

  /**
   * It trusts nobody but the authority that the spec names, and Node reads NODE_EXTRA_CA_CERTS before anything else: some
   * 35 ms for a system's whole bundle, in which its clients are refused.
   */
  command(): ProcessCommand {
    const { NODE_EXTRA_CA_CERTS: _unused, ...env } = process.env;
    return {
      env,
      program: process.execPath,
      args: [mainFile, '--config', this.#paths.config],
      cwd: this.#paths.folder,
      logFile: this.#paths.log,
      // With workers it is they who take long.
      waitsItself: this.#deployment.spec.gate.workers === 1,
    };
  }

  async look(): Promise<void> {
    try {
      const status = await this.#control.status();
      this.#noteWorkers(status);
      this.#seen = { state: status.state, clients: status.clients, status };
    } catch {
      this.#seen = { state: 'down', clients: 0 };
    }
  }

  /** A worker that ended was started again by the gate itself: people are told all the same. */
  #noteWorkers({ pid, workers }: GateStatus): void {
    const before = this.#pid === pid ? this.#workerRestarts : 0;
    this.#pid = pid;
    this.#workerRestarts = workers.restarts;
    if (workers.restarts <= before) return;
    const { running, wanted, restarts } = workers;
    const reason = `a worker ended or hung and was started again: ${running} of ${wanted} run, ${restarts} restarts so far; its log says why`;
    this.#deployment.events.add('worker-restarted', this.#place.id, reason);
  }

  clients() {
    return this.#control.clients();
  }

  async hold(reason: string, maxMs: number, next?: Member): Promise<void> {
    const to = next === undefined ? {} : { next: { address: next.address, port: next.port } };
    await this.#control.hold({ reason, maxMs, ...to });
  }

  async switchTo({ address, port }: Member, epoch?: number): Promise<void> {
    await this.#control.switch({ address, port, ...(epoch === undefined ? {} : { epoch }) });
  }

  async release(): Promise<void> {
    await this.#control.release();
  }

  close(): void {}
}

function gateInput({ spec, setting }: Deployment, place: GatePlace, socket: string): GateConfigInput {
  const host = bindAddresses(spec.hosts.find(({ id }) => id === place.host) as Host);
  return {
    deployment: spec.name,
    id: place.id,
    listen: { host: [...host], port: place.port },
    replicaListen: place.replicaPort === null ? null : { host: [...host], port: place.replicaPort },
    controlSocket: socket,
    restarts: spec.agent.restarts,
    ...gateSettings(spec, setting.secrets),
    routes: spec.gate.routes.map((route) => gateRoute(route)),
    mirrors: spec.gate.mirrors.map((mirror) => gateMirror(mirror)),
    tls: gateTls(spec),
  };
}

function gateTls({ gate, security: { tls } }: Spec): GateConfig['tls'] {
  if (tls === null) return null;
  return { ...tls, upstream: true, verifyClients: gate.clientCertificates === 'required' };
}

import type { Server } from 'node:http';
import type { GateConfig } from '../config.ts';
import { type ControlTarget, serveControl } from './control-server.ts';
import { serveMetrics } from './metrics-server.ts';

/** What a gate answers beside its clients: the control socket, and metrics over HTTP. */
export class Control {
  readonly #servers: Server[];

  private constructor(servers: Server[]) {
    this.#servers = servers;
  }

  /** Opens what the configuration asks for. @throws GATE_CONTROL, GATE_LISTEN */
  static async open(config: GateConfig, target: ControlTarget): Promise<Control> {
    const { controlSocket, metricsListen } = config;
    const servers: Server[] = [];
    if (controlSocket !== null) servers.push(await serveControl(controlSocket, target));
    if (metricsListen !== null) {
      servers.push(await serveMetrics({ ...config, metricsListen }, () => target.status()));
    }
    return new Control(servers);
  }

  close(): void {
    for (const server of this.#servers) {
      server.close();
      server.closeAllConnections();
    }
  }
}

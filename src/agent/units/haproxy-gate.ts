import { connect } from 'node:net';
import { writeFileIfNew } from '../../base/atomic-file.ts';
import { GateControlFailed } from '../../gate/errors.ts';
import type { ProcessCommand } from '../../process/spawn-held.ts';
import { renderHaproxyCfg } from '../../render/haproxy-cfg.ts';
import type { GatePlace, Member } from '../../spec/spec.ts';
import type { Deployment } from '../deployment.ts';
import type { UnitPaths } from '../state/paths.ts';
import type { GateAdapter, GateObservation } from './gate-adapter.ts';

const answerWithinMs = 1000;

/**
 * HAProxy in place of the gate. It holds nothing: a client whose primary is lost is disconnected and comes back. Its
 * checks find a new primary by themselves; the agent tells it sooner, through its runtime socket.
 * Source of the commands: HAProxy 2.6 Management Guide, 9.3 "Unix Socket commands". A server's health that is set there
 * lasts until its checks say otherwise.
 */
export class HaproxyGate implements GateAdapter {
  readonly #deployment: Deployment;
  readonly #place: GatePlace;
  readonly #paths: UnitPaths;
  #seen: GateObservation = { state: 'down', clients: 0 };

  constructor(deployment: Deployment, place: GatePlace, paths: UnitPaths) {
    this.#deployment = deployment;
    this.#place = place;
    this.#paths = paths;
  }

  get seen(): GateObservation {
    return this.#seen;
  }

  async configure(): Promise<void> {
    const { spec, secrets } = this.#deployment.setting;
    const input = { spec, gate: this.#place, secrets, adminSocket: this.#paths.socket };
    await writeFileIfNew(this.#paths.config, renderHaproxyCfg(input));
    this.#seen = { state: 'down', clients: 0 };
  }

  async tellPlaces(): Promise<string> {
    return 'HAProxy reads its servers when it starts';
  }

  command(): ProcessCommand {
    return {
      program: this.#deployment.setting.haproxy ?? 'haproxy',
      args: ['-db', '-f', this.#paths.config],
      cwd: this.#paths.folder,
      logFile: this.#paths.log,
    };
  }

  async look(): Promise<void> {
    try {
      const rows = (await this.#tell('show stat')).split('\n').map((line) => line.split(','));
      const [header = [], ...lines] = rows;
      const column = (name: string) => header.findIndex((each) => each.replace('# ', '') === name);
      const find = (proxy: string, service: string) =>
        lines.find((line) => line[column('pxname')] === proxy && line[column('svname')] === service);
      const up = find('rw', 'BACKEND')?.[column('status')] === 'UP';
      const clients = ['rw', 'ro'].map((proxy) => Number(find(proxy, 'FRONTEND')?.[column('scur')] ?? 0));
      this.#seen = { state: up ? 'open' : 'refusing', clients: clients.reduce((sum, each) => sum + each, 0) };
    } catch {
      this.#seen = { state: 'down', clients: 0 };
    }
  }

  async clients(): Promise<never> {
    throw GateControlFailed(`${this.#place.id}: HAProxy does not tell who its clients are by name`);
  }

  /** HAProxy can't hold a command: CLIENT PAUSE on the old primary does, for the clients that are connected. */
  async hold(): Promise<void> {}

  async switchTo(primary: Member): Promise<void> {
    const others = this.#deployment.members.filter(({ place }) => place.id !== primary.id);
    const commands = [
      ...others.map(({ place }) => `set server rw/${place.id} health down`),
      `set server rw/${primary.id} health up`,
      ...others.map(({ place }) => `shutdown sessions server rw/${place.id}`),
    ];
    // What worked is answered with empty lines.
    const answer = (await this.#tell(commands.join(';'))).trim();
    if (answer !== '') throw GateControlFailed(`${this.#place.id}: HAProxy answered: ${answer}`);
  }

  async release(): Promise<void> {}
  close(): void {}

  #tell(command: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const socket = connect({ path: this.#paths.socket, timeout: answerWithinMs });
      let answer = '';
      socket.setEncoding('utf8');
      socket.on('connect', () => socket.write(`${command}\n`));
      socket.on('data', (text: string) => {
        answer += text;
      });
      socket.on('end', () => resolve(answer));
      socket.on('timeout', () => socket.destroy(new Error(`no answer from ${this.#paths.socket}`)));
      socket.on('error', reject);
    });
  }
}

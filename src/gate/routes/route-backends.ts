import { Buffer } from 'node:buffer';
import { writeError } from '../../resp/write.ts';
import { Backend, type Shared } from '../backend.ts';
import type { Client } from '../client/client.ts';
import type { Listener } from '../client/listener.ts';
import { type GateConfig, majorityOf, type Route } from '../config.ts';
import type { RouteStatus } from '../control/control-api.ts';
import { type Login, sameLogin } from '../upstream/identity.ts';
import type { RefusedLogin } from '../upstream/login-check.ts';
import { RouteFaults } from './faults.ts';
import { type Lane, Lanes } from './lanes.ts';

/** Where a gate's routes lead, and what they took. None of it is there at a gate without routes. */
export class RouteBackends {
  readonly #routes: readonly Route[];
  readonly #backends: readonly Backend[];
  readonly #faults: readonly (RouteFaults | null)[];
  /** Of each port: the catch-all first. */
  readonly #lanes: readonly (readonly Lane[])[];
  readonly #ports: readonly Lanes[];
  readonly #home: Backend;

  constructor(home: Backend, shared: Shared) {
    const { routes } = home.config;
    this.#home = home;
    this.#routes = routes;
    this.#faults = routes.map(({ faults }) => (faults.length === 0 ? null : new RouteFaults(faults)));
    const quiet: Shared = { ...shared, onChange: () => {}, onRefused: () => {} };
    this.#backends = routes.map((route) => new Backend(configOf(home.config, route), quiet, home));
    if (routes.length === 0) {
      this.#lanes = [];
      this.#ports = [];
      return;
    }
    this.#lanes = home.listeners.map((port, index) => [
      { router: port, standIn: null, removePrefix: false, faults: null, requests: 0 },
      ...this.#backends.map(
        ({ listeners }, at): Lane => ({
          router: listeners[index] as Listener,
          standIn: standInOf(routes[at] as Route),
          removePrefix: (routes[at] as Route).removePrefix,
          faults: this.#faults[at] ?? null,
          requests: 0,
        }),
      ),
    ]);
    this.#ports = this.#lanes.map((lanes) => new Lanes(lanes, routes, shared.table));
    for (const backend of [home, ...this.#backends])
      for (const [index, listener] of backend.listeners.entries())
        listener.sendBy(this.#ports[index] ?? null);
  }

  get listeners(): Listener[] {
    return this.#backends.flatMap(({ listeners }) => listeners);
  }

  get statuses(): Record<string, RouteStatus> {
    return Object.fromEntries(
      this.#backends.map(({ watch, listeners }, index) => [
        (this.#routes[index] as Route).id,
        {
          requests: this.#lanes.reduce((sum, lanes) => sum + (lanes[index + 1] as Lane).requests, 0),
          held: listeners.reduce((sum, { held }) => sum + held.size, 0),
          state: watch.holding === 'none' ? 'open' : 'holding',
          reason: watch.reason,
          faults: this.#faults[index]?.counts ?? { delayed: 0, failed: 0 },
        },
      ]),
    );
  }

  start(): void {
    for (const { watch } of this.#backends) watch.start();
  }

  stop(): void {
    for (const backend of this.#backends) backend.stop();
  }

  /** As `Backend.retire`; and whoever uses a route with a user of its own is asked anew who it is. */
  retire(user: string | null): void {
    for (const port of this.#ports) port.doubt();
    for (const backend of this.#backends) backend.retire(user);
  }

  /** Somebody may be at a route as another user, whose connections say nothing of who it is itself. */
  get standIn(): boolean {
    return this.#routes.some(({ clientCredentials }) => clientCredentials !== null);
  }

  /**
   * The catch-all does not let these in any more: who waits for something at a route where another user stands in for them would
   * get it. It is told so and closed; who waits for nothing is asked with its next request.
   */
  end(refused: readonly RefusedLogin[]): void {
    for (const client of this.#home.listeners.flatMap(({ clients }) => [...clients])) {
      const { session, inFlight, hasWork } = client;
      if (session.standIn === null || (inFlight === 0 && !hasWork)) continue;
      const found = refused.find(({ login }) => sameLogin(login, session.identity.login));
      if (found === undefined) continue;
      // Of any other answer half may have been passed on.
      const blocks = client.place.own?.ring.peek()?.handler?.blocking === true;
      const told = (inFlight === 0 || blocks) && client.replies === 'on';
      client.close('session', told ? writeError(found.error) : undefined);
    }
  }

  /** Looks after those who are at a route as themselves. Returns the others, whom the catch-all knows. */
  lookAtAccess(clients: readonly Client[]): readonly Client[] {
    const others = new Set(clients);
    for (const backend of this.#backends) {
      const here = clients.filter(
        ({ router, session }) =>
          session.standIn === null && backend.listeners.some((each) => each === router),
      );
      for (const client of here) others.delete(client);
      if (here.length > 0) backend.lookAtAccess(here);
    }
    return [...others];
  }
}

/** The gate's, but for what leads to the route's target. */
function configOf(config: GateConfig, route: Route): GateConfig {
  const { deployment, members, sentinels, memberCredentials, sentinelCredentials, tls } = route;
  return {
    ...config,
    ...{ deployment, members, sentinels, memberCredentials, sentinelCredentials, tls },
    quorumMajority: majorityOf(sentinels.length),
    standalone: false,
    predecessor: null,
    // The target's own affair.
    durability: 'async',
    ...{ readsAtPrimary: false, confirmsReads: false },
    routes: [],
  };
}

/** Logins are bytes as latin1. */
function standInOf({ clientCredentials }: Route): Login | null {
  if (clientCredentials === null) return null;
  const latin1 = (text: string) => Buffer.from(text).toString('latin1');
  return { user: latin1(clientCredentials.username), password: latin1(clientCredentials.password) };
}

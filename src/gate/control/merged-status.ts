import type { GateProcess, GateStatus, RequestMirrorStatus, RouteStatus } from './control-api.ts';
import { addLatencies } from './latency.ts';

type Numbers<K extends string = string> = Record<K, number>;

/** One status of several workers: the worst state, and the sums of what they count. */
export function mergeStatuses(all: GateStatus[], own: { id: string; process: GateProcess }): GateStatus {
  const worst =
    all.find(({ state }) => state === 'refusing') ??
    all.find(({ state }) => state !== 'open') ??
    all.find(({ reason }) => reason !== null) ??
    all[0];
  if (worst === undefined) throw new TypeError('there is no status to merge');
  const each = <T>(of: (status: GateStatus) => T) => all.map(of);
  const { switches } = worst.counters;
  const lossySwitches = Math.max(...each(({ counters }) => counters.lossySwitches));
  return {
    ...worst,
    id: own.id,
    pid: process.pid,
    clients: each(({ clients }) => clients).reduce(sum, 0),
    held: each(({ held }) => held).reduce(sum, 0),
    heldLately: each(({ heldLately }) => heldLately).reduce(sum, 0),
    commandsKnown: all.every(({ commandsKnown }) => commandsKnown),
    connections: addUp(each(({ connections }) => connections)),
    routes: Object.fromEntries(
      Object.keys(worst.routes).map((id) => [
        id,
        mergeRoutes(each(({ routes }) => routes[id] as RouteStatus)),
      ]),
    ),
    mirrors: Object.fromEntries(
      Object.keys(worst.mirrors).map((id) => [
        id,
        mergeMirrors(each(({ mirrors }) => mirrors[id] as RequestMirrorStatus)),
      ]),
    ),
    // Every worker sees every change of primary.
    counters: { ...addUp(each(({ counters }) => ({ ...counters }))), switches, lossySwitches },
    commands: addUp(each(({ commands }) => commands)),
    classes: addUp(each(({ classes }) => classes)),
    errors: addUp(each(({ errors }) => errors)),
    closed: addUp(each(({ closed }) => closed)),
    latency: addBoth(all),
    process: addProcess(
      own.process,
      each((status) => status.process),
    ),
  };
}

function mergeRoutes(all: RouteStatus[]): RouteStatus {
  const worst = all.find(({ state }) => state !== 'open') ?? (all[0] as RouteStatus);
  const total = (of: (status: RouteStatus) => number) => all.map(of).reduce(sum, 0);
  return {
    ...worst,
    requests: total(({ requests }) => requests),
    held: total(({ held }) => held),
    faults: addUp(all.map(({ faults }) => faults)),
  };
}

/** @param all at least one */
export function mergeMirrors(all: readonly RequestMirrorStatus[]): RequestMirrorStatus {
  const { state, reason } = all.find((each) => each.state !== 'open') ?? (all[0] as RequestMirrorStatus);
  const counts = all.map(({ copied, dropped, failed, queuedBytes }) => ({
    ...{ copied, dropped, failed, queuedBytes },
  }));
  const errors = addUp(all.map((each) => each.errors));
  return { state, reason, ...addUp(counts), errors, latency: addBoth(all) };
}

function addBoth(all: readonly Pick<GateStatus, 'latency'>[]): GateStatus['latency'] {
  return {
    read: addLatencies(all.map(({ latency }) => latency.read)),
    write: addLatencies(all.map(({ latency }) => latency.write)),
  };
}

/** The process that started the workers has a loop too, but it serves no clients. */
function addProcess(own: GateProcess, workers: GateProcess[]): GateProcess {
  const total = addUp(workers.map((worker) => ({ ...worker })));
  return {
    ...total,
    rssBytes: total.rssBytes + own.rssBytes,
    cpuMs: total.cpuMs + own.cpuMs,
    upMs: own.upMs,
  };
}

function sum(a: number, b: number): number {
  return a + b;
}

function addUp<K extends string>(all: Numbers<K>[]): Numbers<K> {
  const total: Numbers = {};
  for (const numbers of all) {
    for (const [key, value] of Object.entries<number>(numbers)) total[key] = (total[key] ?? 0) + value;
  }
  return total as Numbers<K>;
}

/** What this process costs. */
export function ownProcess(): GateProcess {
  const { user, system } = process.cpuUsage();
  const { active, idle } = performance.eventLoopUtilization();
  return {
    rssBytes: process.memoryUsage.rss(),
    cpuMs: (user + system) / 1000,
    loopActiveMs: active,
    loopIdleMs: idle,
    upMs: process.uptime() * 1000,
  };
}

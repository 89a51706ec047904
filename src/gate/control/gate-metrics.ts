import {
  counter,
  type Distribution,
  gauge,
  histogram,
  type Labels,
  type MetricsPage,
} from '../../base/metrics.ts';
import type { GateStatus } from './control-api.ts';
import type { Latency } from './latency.ts';

const own = ['gate'];

/** What a gate counts, as metrics. docs/metrics.md lists them; a test keeps the two equal. */
export const gateMetrics = {
  heldClients: gauge('holdfast_gate_held_clients', 'Clients whose command waits for a primary now.', own),
  connections: gauge('holdfast_gate_connections', 'Connections to members: shared by clients, or private.', [
    ...own,
    'kind',
  ]),
  sentinelsSeen: gauge('holdfast_gate_sentinels_seen', 'Sentinels that answer the gate.', own),
  sentinelsNeeded: gauge('holdfast_gate_sentinels_needed', 'Sentinels that are a majority.', own),
  commands: counter('holdfast_gate_commands_total', 'Commands sent on or answered, by class.', [
    ...own,
    'class',
  ]),
  calls: counter('holdfast_gate_command_calls_total', 'The same, by command; those that came.', [
    ...own,
    'command',
  ]),
  latency: histogram('holdfast_gate_latency_seconds', 'From a request read to its answer passed on.', [
    ...own,
    'kind',
  ]),
  accepted: counter('holdfast_gate_clients_accepted_total', 'Clients that connected.', own),
  refused: counter('holdfast_gate_clients_refused_total', 'Clients beyond gate.limits.maxClients.', own),
  closed: counter('holdfast_gate_clients_closed_total', 'Clients that the gate closed, by why.', [
    ...own,
    'why',
  ]),
  held: counter('holdfast_gate_held_total', 'Commands that waited for a primary.', own),
  heldInVain: counter('holdfast_gate_held_in_vain_total', 'Commands that waited and were refused.', own),
  replayed: counter('holdfast_gate_replayed_total', 'Reads sent again after a connection broke.', own),
  retried: counter('holdfast_gate_retried_total', 'Commands sent again after a server refused them.', own),
  uncertain: counter('holdfast_gate_uncertain_total', 'Writes that were answered with UNCERTAIN.', own),
  switches: counter('holdfast_gate_switches_total', 'Changes of the primary that the gate made.', own),
  lossySwitches: counter(
    'holdfast_gate_lossy_switches_total',
    'Of these, those to a primary that lacks what was acknowledged with durability: replicated.',
    own,
  ),
  errors: counter('holdfast_gate_errors_total', 'Errors that clients got, by first word; those that came.', [
    ...own,
    'error',
  ]),
  received: counter('holdfast_gate_received_bytes_total', 'Bytes from clients.', own),
  sent: counter('holdfast_gate_sent_bytes_total', 'Bytes to clients.', own),
  routed: counter('holdfast_gate_route_requests_total', 'Requests that were sent to a route.', [
    ...own,
    'route',
  ]),
  routeHeld: gauge('holdfast_gate_route_held_clients', 'Clients that wait for a route now.', [
    ...own,
    'route',
  ]),
  routeFaults: counter('holdfast_gate_route_faults_total', 'Faults made on purpose at a route, by kind.', [
    ...own,
    'route',
    'kind',
  ]),
  copied: counter('holdfast_gate_mirror_requests_total', 'Requests of which a mirror got a copy.', [
    ...own,
    'mirror',
  ]),
  notCopied: counter('holdfast_gate_mirror_dropped_total', 'Requests that a mirror was to get and did not.', [
    ...own,
    'mirror',
  ]),
  unanswered: counter('holdfast_gate_mirror_failed_total', 'Copies that a mirror did not answer.', [
    ...own,
    'mirror',
  ]),
  mirrorErrors: counter(
    'holdfast_gate_mirror_errors_total',
    'Errors of a mirror, by first word; those that came.',
    [...own, 'mirror', 'error'],
  ),
  mirrorLatency: histogram(
    'holdfast_gate_mirror_latency_seconds',
    'From a copy sent to a mirror to its answer.',
    [...own, 'mirror', 'kind'],
  ),
  workers: gauge('holdfast_gate_workers', 'Workers that run.', own),
  workerRestarts: counter(
    'holdfast_gate_worker_restarts_total',
    'Workers started again after one ended.',
    own,
  ),
  memory: gauge('holdfast_gate_resident_memory_bytes', 'Memory of the gate, all workers.', own),
  cpu: counter('holdfast_gate_cpu_seconds_total', 'Processor time of the gate, all workers.', own),
  busy: counter('holdfast_gate_loop_busy_seconds_total', 'Time that its event loops worked.', own),
  idle: counter('holdfast_gate_loop_idle_seconds_total', 'Time that its event loops waited.', own),
};

export function addGateMetrics(page: MetricsPage, status: GateStatus): void {
  const labels: Labels = { gate: status.id };
  const { counters, connections, latency } = status;
  page.add(gateMetrics.heldClients, status.held, labels);
  for (const kind of ['shared', 'private'] as const)
    page.add(gateMetrics.connections, connections[kind], { ...labels, kind });
  page.addAll(
    gateMetrics,
    { sentinelsSeen: status.sentinelsSeen, sentinelsNeeded: status.sentinelsNeeded },
    labels,
  );
  for (const [name, count] of Object.entries(status.classes))
    page.add(gateMetrics.commands, count, { ...labels, class: name });
  for (const [command, count] of Object.entries(status.commands))
    page.add(gateMetrics.calls, count, { ...labels, command });
  for (const kind of ['read', 'write'] as const)
    page.addDistribution(gateMetrics.latency, distributionOf(latency[kind]), { ...labels, kind });
  page.addAll(gateMetrics, { accepted: counters.clientsAccepted, refused: counters.clientsRefused }, labels);
  for (const [why, count] of Object.entries(status.closed))
    page.add(gateMetrics.closed, count, { ...labels, why });
  page.addAll(
    gateMetrics,
    {
      held: counters.held,
      heldInVain: counters.heldInVain,
      replayed: counters.replayed,
      retried: counters.retried,
      uncertain: counters.uncertain,
      switches: counters.switches,
      // A gate of an earlier version counts none.
      lossySwitches: counters.lossySwitches ?? 0,
    },
    labels,
  );
  for (const [error, count] of Object.entries(status.errors))
    page.add(gateMetrics.errors, count, { ...labels, error });
  page.addAll(gateMetrics, { received: counters.bytesIn, sent: counters.bytesOut }, labels);
  // A gate of an earlier version has none.
  for (const [route, { requests, held, faults }] of Object.entries(status.routes ?? {})) {
    page.add(gateMetrics.routed, requests, { ...labels, route });
    page.add(gateMetrics.routeHeld, held, { ...labels, route });
    for (const [kind, count] of Object.entries(faults ?? {}))
      page.add(gateMetrics.routeFaults, count, { ...labels, route, kind });
  }
  addMirrors(page, status, labels);
  addProcess(page, status, labels);
}

function addMirrors(page: MetricsPage, { mirrors }: GateStatus, gate: Labels): void {
  // A gate of an earlier version has none.
  for (const [mirror, { copied, dropped, failed, errors, latency }] of Object.entries(mirrors ?? {})) {
    const labels = { ...gate, mirror };
    page.addAll(gateMetrics, { copied, notCopied: dropped, unanswered: failed }, labels);
    for (const [error, count] of Object.entries(errors))
      page.add(gateMetrics.mirrorErrors, count, { ...labels, error });
    for (const kind of ['read', 'write'] as const)
      page.addDistribution(gateMetrics.mirrorLatency, distributionOf(latency[kind]), { ...labels, kind });
  }
}

function addProcess(page: MetricsPage, status: GateStatus, labels: Labels): void {
  const { rssBytes, cpuMs, loopActiveMs, loopIdleMs } = status.process;
  page.addAll(
    gateMetrics,
    {
      workers: status.workers.running,
      workerRestarts: status.workers.restarts,
      memory: rssBytes,
      cpu: cpuMs / 1000,
      busy: loopActiveMs / 1000,
      idle: loopIdleMs / 1000,
    },
    labels,
  );
}

/** From 16 µs, doubling, to 67 s. */
const bounds = Array.from({ length: 23 }, (_, index) => 2 ** (index + 4));

/**
 * The same bounds whatever was measured, unlike the gate's own, which leaves out what is empty: a bound that appears
 * later would have no rate. The gate's bounds are four to a doubling, so each of these is one of them.
 */
function distributionOf({ buckets, count, sumMs }: Latency): Distribution {
  let index = 0;
  const found = bounds.map((us) => {
    let inside = 0;
    for (; index < buckets.length; index += 1) {
      const [upToMs, each] = buckets[index] as Latency['buckets'][number];
      if (upToMs === null || upToMs * 1000 > us) break;
      inside += each;
    }
    return { atMost: us / 1e6, count: inside };
  });
  return { buckets: found, count, sum: sumMs / 1000 };
}

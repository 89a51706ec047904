import { counter, gauge, type Labels, type MetricsPage } from '../base/metrics.ts';
import type { GateStatus } from './control.ts';

const own = ['gate'];

/** What a gate counts, as metrics. docs/metrics.md lists them; a test keeps the two equal. */
export const gateMetrics = {
  heldClients: gauge('holdfast_gate_held_clients', 'Clients whose command waits for a primary now.', own),
  connections: gauge('holdfast_gate_connections', 'Connections to members, shared by clients or one’s own.', [
    ...own,
    'kind',
  ]),
  sentinelsSeen: gauge('holdfast_gate_sentinels_seen', 'Sentinels that answer the gate.', own),
  sentinelsNeeded: gauge('holdfast_gate_sentinels_needed', 'Sentinels that are a majority.', own),
  commands: counter('holdfast_gate_commands_total', 'Commands that were sent on or answered.', own),
  accepted: counter('holdfast_gate_clients_accepted_total', 'Clients that connected.', own),
  refused: counter('holdfast_gate_clients_refused_total', 'Clients beyond gate.limits.maxClients.', own),
  held: counter('holdfast_gate_held_total', 'Commands that waited for a primary.', own),
  heldInVain: counter('holdfast_gate_held_in_vain_total', 'Commands that waited and were refused.', own),
  replayed: counter('holdfast_gate_replayed_total', 'Reads sent again after a connection broke.', own),
  bounced: counter('holdfast_gate_bounced_total', 'Commands sent again after a server refused them.', own),
  uncertain: counter('holdfast_gate_uncertain_total', 'Writes that were answered with UNCERTAIN.', own),
  switches: counter('holdfast_gate_switches_total', 'Changes of the primary that the gate made.', own),
  received: counter('holdfast_gate_received_bytes_total', 'Bytes from clients.', own),
  sent: counter('holdfast_gate_sent_bytes_total', 'Bytes to clients.', own),
  errors: counter('holdfast_gate_errors_total', 'Errors that the gate answered by itself.', own),
};

export function addGateMetrics(page: MetricsPage, status: GateStatus): void {
  const labels: Labels = { gate: status.id };
  const { counters } = status;
  page.add(gateMetrics.heldClients, status.held, labels);
  for (const kind of ['shared', 'private'] as const) {
    page.add(gateMetrics.connections, status.connections[kind], { ...labels, kind });
  }
  page.add(gateMetrics.sentinelsSeen, status.sentinelsSeen, labels);
  page.add(gateMetrics.sentinelsNeeded, status.sentinelsNeeded, labels);
  page.add(gateMetrics.commands, counters.commands, labels);
  page.add(gateMetrics.accepted, counters.clientsAccepted, labels);
  page.add(gateMetrics.refused, counters.clientsRefused, labels);
  page.add(gateMetrics.held, counters.held, labels);
  page.add(gateMetrics.heldInVain, counters.heldInVain, labels);
  page.add(gateMetrics.replayed, counters.replayed, labels);
  page.add(gateMetrics.bounced, counters.bounced, labels);
  page.add(gateMetrics.uncertain, counters.uncertain, labels);
  page.add(gateMetrics.switches, counters.switches, labels);
  page.add(gateMetrics.received, counters.bytesIn, labels);
  page.add(gateMetrics.sent, counters.bytesOut, labels);
  page.add(gateMetrics.errors, counters.errors, labels);
}

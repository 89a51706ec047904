import type { GateStatus, RequestMirrorStatus } from '../../gate/control/control-api.ts';
import { mergeMirrors } from '../../gate/control/merged-status.ts';
import type { Deployment } from '../deployment.ts';

/** A mirror of requests, beside what the gate says of its clients' own requests. */
export interface RequestMirrorLine {
  name: string;
  to: string;
  /** Null while no gate of this host says. */
  state: RequestMirrorStatus['state'] | null;
  reason: string | null;
  copied: number;
  dropped: number;
  failed: number;
  errors: Readonly<Record<string, number>>;
  /** Of a hundred copies 99 were answered within so long. */
  readP99Ms: number;
  writeP99Ms: number;
  /** The same of clients' requests, by the first gate of this host. */
  own: { errors: Readonly<Record<string, number>>; readP99Ms: number; writeP99Ms: number } | null;
}

/** Of the gates of this agent's host. */
export function requestMirrorLines({ spec, gates }: Deployment): RequestMirrorLine[] {
  const statuses = gates.flatMap(({ adapter }) => adapter.seen.status ?? []);
  return spec.gate.mirrors.map(({ name, to }) => ({ name, to, ...told(name, statuses) }));
}

function told(name: string, statuses: readonly GateStatus[]): Omit<RequestMirrorLine, 'name' | 'to'> {
  // A gate of an earlier release has none.
  const seen = statuses.flatMap(({ mirrors }) => mirrors?.[name] ?? []);
  const [gate] = statuses;
  if (seen.length === 0 || gate === undefined) {
    const nothing = { state: null, reason: null, copied: 0, dropped: 0, failed: 0, errors: {} };
    return { ...nothing, readP99Ms: 0, writeP99Ms: 0, own: null };
  }
  const { state, reason, copied, dropped, failed, errors, latency } = mergeMirrors(seen);
  return {
    ...{ state, reason, copied, dropped, failed, errors },
    ...{ readP99Ms: latency.read.p99Ms, writeP99Ms: latency.write.p99Ms },
    own: { errors: gate.errors, readP99Ms: gate.latency.read.p99Ms, writeP99Ms: gate.latency.write.p99Ms },
  };
}

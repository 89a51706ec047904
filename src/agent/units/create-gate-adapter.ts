import type { TlsTexts } from '../../redis/endpoint.ts';
import type { GatePlace } from '../../spec/spec.ts';
import type { Deployment } from '../deployment.ts';
import type { GateAdapter } from './gate-adapter.ts';
import { HaproxyGate } from './haproxy-gate.ts';
import { OwnGate } from './own-gate.ts';
import type { Part } from './part.ts';
import { RemoteGate } from './remote-gate.ts';

export function createGateAdapter(
  deployment: Deployment,
  place: GatePlace,
  part: Part | null,
  tls: TlsTexts | undefined,
): GateAdapter {
  if (part === null) return new RemoteGate(place, tls);
  if (deployment.spec.gate.kind === 'haproxy') return new HaproxyGate(deployment, place, part.paths);
  return new OwnGate(deployment, place, part.paths);
}

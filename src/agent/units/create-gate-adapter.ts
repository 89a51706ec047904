import type { TlsTexts } from '../../redis/endpoint.ts';
import type { GatePlace } from '../../spec/spec.ts';
import type { Deployment } from '../deployment.ts';
import type { GateAdapter } from './gate-adapter.ts';
import { HaproxyGate } from './haproxy-gate.ts';
import { OwnGate } from './own-gate.ts';
import { RemoteGate } from './remote-gate.ts';
import type { Unit } from './unit.ts';

export function createGateAdapter(
  deployment: Deployment,
  place: GatePlace,
  unit: Unit | null,
  tls: TlsTexts | undefined,
): GateAdapter {
  if (unit === null) return new RemoteGate(place, tls);
  if (deployment.spec.gate.kind === 'haproxy') return new HaproxyGate(deployment, place, unit.paths);
  return new OwnGate(deployment, place, unit.paths);
}

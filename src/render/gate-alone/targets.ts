import { TargetRefused } from '../errors.ts';
import type { RenderedFile } from '../target.ts';
import type { AloneGate, NamedFile } from './alone-gate.ts';
import { gateCompose } from './compose.ts';
import { gateManifests } from './kubernetes.ts';
import { gateUnit } from './systemd.ts';

/** How a gate without an agent can be run: the targets of `holdfast render` that take its file for a spec. */
export function renderGateAlone(
  target: string,
  gate: AloneGate,
  options: Record<string, string>,
  contentOf: (file: NamedFile) => string,
): RenderedFile[] {
  switch (target) {
    case 'systemd':
      return gateUnit(gate);
    case 'compose':
      return gateCompose(gate, options, contentOf);
    case 'kubernetes':
      return gateManifests(gate, options, contentOf);
    default:
      throw TargetRefused(`${target} is made from a spec; from a gate's file: systemd, compose, kubernetes`);
  }
}

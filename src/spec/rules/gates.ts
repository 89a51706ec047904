import type { Problem } from '../problems.ts';
import type { SpecFile } from '../schema.ts';
import type { Spec } from '../spec.ts';

export function gateRules(spec: Spec, file: SpecFile): Problem[] {
  return [...placeRules(file), ...haproxyRules(spec, file)];
}

function placeRules(file: SpecFile): Problem[] {
  const on = file.gate?.on ?? [];
  return on.flatMap((name, index) =>
    on.indexOf(name) === index
      ? []
      : [
          {
            path: ['gate', 'on', index],
            message: `found '${name}' again; one gate a host: for more processes behind one port, use gate.workers`,
          },
        ],
  );
}

/** HAProxy forwards bytes: what needs the commands themselves is beyond it. */
function haproxyRules(spec: Spec, file: SpecFile): Problem[] {
  const written = file.gate ?? {};
  const problems: Problem[] = [];
  if (spec.gate.kind !== 'haproxy') {
    if (written.statsPort === undefined) return [];
    const message = "it is HAProxy's page; holdfast's own gate reports through the agent's API: remove this";
    return [{ path: ['gate', 'statsPort'], message, about: 'key' }];
  }
  const beyond = (key: keyof typeof written, what: string) =>
    problems.push({
      path: ['gate', key],
      message: `${what} is beyond HAProxy, which does not see commands; use kind: gate, or remove this`,
      about: 'key',
    });
  if (spec.gate.durability === 'replicated') beyond('durability', 'waiting for replicas');
  if (spec.gate.inflightWrites === 'retry-idempotent') beyond('inflightWrites', 'sending a write again');
  if (written.hold !== undefined) beyond('hold', 'holding commands');
  return problems;
}

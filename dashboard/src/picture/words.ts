/** The picture in sentences, for those who don't see it. Pure. */
import type { ApiView } from '../../../src/api/view.ts';
import { bytes, count, plural } from '../data/format.ts';

export function inWords(view: ApiView): string[] {
  const gates = view.gates.map((gate) => {
    const held = (gate.held ?? 0) > 0 ? `, ${count(gate.held)} of them held` : '';
    const flow =
      gate.commandsPerSecond === null ? '' : ` at ${count(gate.commandsPerSecond)} commands a second`;
    const to = gate.primary === null ? 'to no member' : `to ${gate.primary}`;
    return `${gate.id} is ${gate.state}: ${plural(gate.clients ?? 0, 'client')}${held}, ${to}${flow}.`;
  });
  const members = view.members.map((member) => {
    const lag =
      member.role === 'replica' && member.lagBytes !== null ? `, ${bytes(member.lagBytes)} behind` : '';
    const why = member.reason === null ? '' : `: ${member.reason}`;
    return `${member.id} is ${member.state}${member.role === null ? '' : `, ${member.role}`}${lag}${why}.`;
  });
  const sentinels = view.sentinels.map(
    ({ id, state, names }) => `${id} is ${state}${names === null ? '' : ` and names ${names} primary`}.`,
  );
  return [...gates, ...members, ...sentinels];
}

/** What load balancers and process managers hear: yes or no, and why not. Pure. */
import type { ApiHealth } from '../../api/access.ts';
import type { ApiView } from '../../api/view.ts';

const yes: ApiHealth = { ok: true, why: null };
const no = (why: string): ApiHealth => ({ ok: false, why });

/** What it started runs, and it knows whom the Sentinels name. */
export function readiness({ hosts, host, members, sentinels, gates, primary, state }: ApiView): ApiHealth {
  const here = [...members, ...sentinels, ...gates].filter((each) => each.host === host);
  const down = here.find((each) => each.state === 'down' || each.state === 'failed');
  if (down !== undefined) return no(`${down.id} is ${down.state}`);
  const starting = members.find((each) => each.host === host && each.state === 'starting');
  if (starting !== undefined) return no(`${starting.id} is starting`);
  if (primary === null && state === 'down' && hosts.length > 0)
    return no('no majority of Sentinels says who is primary');
  return yes;
}

/** Whether who comes to this host's gate can write; without a gate here, whether the deployment takes writes. */
export function writeHealth(view: ApiView): ApiHealth {
  const gate = gateHere(view);
  if (gate !== undefined && gate.state !== 'open') return no(gateWhy(gate));
  if (view.state !== 'down') return yes;
  return no(view.problems[0] ?? 'there is no primary');
}

/** The same for reads: a gate that holds writes answers reads at its read-only port, as long as a replica is fit. */
export function readHealth(view: ApiView): ApiHealth {
  const gate = gateHere(view);
  const readable = view.members.some(({ state }) => state === 'up' || state === 'syncing');
  if (gate !== undefined && (gate.state === 'down' || gate.state === 'refusing')) return no(gateWhy(gate));
  if (gate?.state === 'holding' && gate.replicaPort === null) return no(gateWhy(gate));
  return readable ? yes : no('no member answers');
}

function gateHere({ gates, host }: ApiView): ApiView['gates'][number] | undefined {
  return gates.find((gate) => gate.host === host);
}

function gateWhy({ id, state, reason }: ApiView['gates'][number]): string {
  return `${id} is ${state}${reason === null ? '' : `: ${reason}`}`;
}

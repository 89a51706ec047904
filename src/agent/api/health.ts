/** What load balancers and process managers hear: yes or no, and why not. Pure. */
import type { ApiHealth } from '../../api/access.ts';
import type { ApiView } from '../../api/view.ts';
import { nobodyIsNamed } from '../../topology/view.ts';

const yes: ApiHealth = { ok: true, why: null };
/** One of this host is unreachable when it runs and does not let the agent ask: it serves. */
const notReady: ReadonlySet<string> = new Set('starting loading busy hung down failed refused'.split(' '));
const no = (why: string): ApiHealth => ({ ok: false, why });

/** What it started runs, and it knows whom the Sentinels name. */
export function readiness({ hosts, host, members, sentinels, gates, primary, state }: ApiView): ApiHealth {
  const here = [...members, ...sentinels, ...gates].filter((each) => each.host === host);
  const idle = here.find(({ state: each }) => notReady.has(each));
  if (idle !== undefined) return no(textOf(idle));
  if (primary === null && state === 'down' && hosts.length > 0) return no(nobodyIsNamed({ sentinels }));
  return yes;
}

const takesNoWrites: ReadonlySet<string> = new Set(['memory-full', 'writes-refused', 'writes-held']);

/** Whether who comes to this host's gate can write; without a gate here, whether the deployment takes writes. */
export function writeHealth(view: ApiView): ApiHealth {
  const gate = gateHere(view);
  if (gate !== undefined && gate.state !== 'open') return no(textOf(gate));
  if (view.state === 'down') return no(view.problems[0] ?? 'there is no primary');
  const primary = view.members.find(({ id }) => id === view.primary);
  return takesNoWrites.has(primary?.troubleCode ?? '')
    ? no(primary?.trouble ?? 'the primary takes no writes')
    : yes;
}

/** A replica without its link answers with what it has. */
const answersReads: ReadonlySet<string> = new Set(['up', 'syncing', 'disconnected']);

/** The same for reads: a gate that holds writes answers reads at its read-only port, as long as a replica is fit. */
export function readHealth(view: ApiView): ApiHealth {
  const gate = gateHere(view);
  const readable = view.members.some(({ state }) => answersReads.has(state));
  if (gate !== undefined && gate.state !== 'open' && gate.state !== 'holding') return no(textOf(gate));
  if (gate?.state === 'holding' && gate.replicaPort === null) return no(textOf(gate));
  return readable ? yes : no('no member answers');
}

function gateHere({ gates, host }: ApiView): ApiView['gates'][number] | undefined {
  return gates.find((gate) => gate.host === host);
}

function textOf({
  id,
  state,
  reason,
}: Pick<ApiView['gates'][number], 'id' | 'reason'> & { state: string }): string {
  return `${id} is ${state}${reason === null ? '' : `: ${reason}`}`;
}

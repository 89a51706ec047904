/**
 * What the elected does, in one turn of its event loop, in this order:
 *
 * 1. Hello to every Sentinel: PUBLISH __sentinel__:hello <ip>,<port>,<run id>,<epoch>,<name>,<primary's ip>,<its port>,
 *    <epoch>. A Sentinel believes it from a colleague that it knows, if the last epoch is above the one of its own
 *    configuration, and switches at once. So the hello comes in the name of a colleague, at the address, port and run id
 *    under which this very Sentinel lists it: under any other it would add a Sentinel that does not exist.
 * 2. REPLICAOF NO ONE to the chosen. Never before the hello: who dies in between leaves a primary that no Sentinel knows
 *    of. They then promote another one, and what the first has taken is lost.
 * 3. REPLICAOF to the others, those that can't be reached excepted: a member that was lost learns it when it comes back.
 * 4. The gates are told.
 *
 * Who dies after the hello leaves a primary by name that acts as a replica; candidacy.ts has who ends that.
 */

export interface Address {
  address: string;
  port: number;
}

/** A Sentinel that is to be told, and the others as it lists them. */
export interface Listener {
  id: string;
  colleagues: readonly (Address & { runId: string })[];
}

export interface Plan {
  /** The deployment's name. */
  name: string;
  epoch: number;
  chosen: Address & { id: string };
  /** The ids of the members that are to follow it. */
  followers: readonly string[];
  sentinels: readonly Listener[];
}

export type TurnAction =
  | { kind: 'hello'; sentinel: string; text: string }
  | { kind: 'promote'; member: string }
  | { kind: 'follow'; member: string; primary: string }
  | { kind: 'tell-gates'; primary: string };

export function turnOf({ name, epoch, chosen, followers, sentinels }: Plan): TurnAction[] {
  const hellos = sentinels.flatMap(({ id, colleagues: [colleague] }): TurnAction[] => {
    if (!colleague) return [];
    const from = [colleague.address, colleague.port, colleague.runId, epoch];
    const text = [...from, name, chosen.address, chosen.port, epoch].join(',');
    return [{ kind: 'hello', sentinel: id, text }];
  });
  return [
    ...hellos,
    { kind: 'promote', member: chosen.id },
    ...followers
      .filter((id) => id !== chosen.id)
      .map((member): TurnAction => ({ kind: 'follow', member, primary: chosen.id })),
    { kind: 'tell-gates', primary: chosen.id },
  ];
}

/**
 * What the elected does, in this order:
 *
 * 1. REPLICAOF NO ONE and hello to the chosen, in one transaction: MULTI, REPLICAOF NO ONE, EXEC, and between them PUBLISH
 *    __sentinel__:hello <ip>,<port>,<run id>,<epoch>,<name>, <primary's ip>,<its port>,<epoch>. The Sentinels listen to
 *    that channel at every member. So who dies here leaves neither a primary that no Sentinel knows of (they would promote
 *    another one, and what the first has taken would be lost), nor one by name that acts as a replica (the Sentinels alone
 *    end that after down-after + 20 s, with another). Nobody else is told before it has answered: one that refuses (NOPERM)
 *    is no primary, and has said nothing to the Sentinels either. What follows is done in one turn of the event loop.
 * 2. REPLICAOF to the other replicas. Not before: one that comes to the chosen while that is still a replica is turned away,
 *    asks again a second later, and with min-replicas-to-write writes wait for it (one crash of twenty was seen to cost 954 ms
 *    that way). Who dies between the two leaves that to the Sentinels, after failover-timeout.
 * 3. The same hello to every Sentinel itself, for those that don't listen to the chosen at this moment.
 * 4. REPLICAOF to the one that is replaced, if it can be reached: a member that was lost learns it when it comes back.
 *    Not before, or there could be no primary at all.
 * 5. The gates are told.
 *
 * A Sentinel believes a hello from a colleague that it knows, if the last epoch is above the one of its own configuration,
 * and switches at once. So each is told in the name of a colleague, at the address, port and run id under which this very
 * Sentinel lists it: under any other it would add a Sentinel that does not exist. What names itself it does not hear
 * (sentinelReceiveHelloMessages), so the chosen publishes one for each of them.
 *
 * The chosen may not hear what the Sentinels hear, when its connection breaks at this moment: candidacy.ts has who ends
 * that.
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
  /** The id of the member that is replaced. */
  lost: string;
  /** The ids of the members that are to follow it; the lost one and itself may be among them. */
  followers: readonly string[];
  sentinels: readonly Listener[];
}

export interface Promotion {
  kind: 'promote';
  member: string;
  hellos: readonly string[];
}

export type TurnAction =
  | { kind: 'hello'; sentinel: string; text: string }
  | { kind: 'follow'; member: string; primary: string }
  | { kind: 'tell-gates'; primary: string };

/** The promotion, and what is done when the chosen one has answered. */
export type Turn = readonly [Promotion, ...TurnAction[]];

export function turnOf({ name, epoch, chosen, lost, followers, sentinels }: Plan): Turn {
  const hellos = sentinels.flatMap(({ id, colleagues: [colleague] }) => {
    if (!colleague) return [];
    const from = [colleague.address, colleague.port, colleague.runId, epoch];
    return [{ sentinel: id, text: [...from, name, chosen.address, chosen.port, epoch].join(',') }];
  });
  const follow = (member: string): TurnAction => ({ kind: 'follow', member, primary: chosen.id });
  return [
    { kind: 'promote', member: chosen.id, hellos: [...new Set(hellos.map(({ text }) => text))] },
    ...followers.filter((id) => id !== chosen.id && id !== lost).map(follow),
    ...hellos.map((hello): TurnAction => ({ kind: 'hello', ...hello })),
    ...followers.filter((id) => id !== chosen.id && id === lost).map(follow),
    { kind: 'tell-gates', primary: chosen.id },
  ];
}

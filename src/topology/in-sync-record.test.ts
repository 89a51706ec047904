/**
 * The promise: whoever may lead has every write that was acknowledged. Proved on a deployment in memory, of which anything
 * may happen at any time: members that are silent, die, come back with what they had, lag behind; a change of the set that
 * ends half way; an election that hears only some; a lead that is replaced and goes on, with those that were not told yet. A
 * member's data is a list of what it has done in order, its record one entry of that.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Ack,
  decodeInSync,
  encodeInSync,
  firstRecord,
  type InSyncRecord,
  isAcknowledged,
  othersNeeded,
  whoMayLead,
  withJoined,
  withJoining,
  withLeaving,
  withoutLeaving,
} from './in-sync-record.ts';

type Entry = { write: number } | { record: InSyncRecord };

interface Member {
  id: string;
  /** Whom it follows: its stream applies what that one does. Null for nobody. */
  follows: string | null;
  /** In which history, named by its lead's reign. */
  history: string;
  log: Entry[];
}

const ids = ['a', 'b', 'c', 'd'];

class Model {
  readonly members: Member[];
  readonly #ack: Ack;
  lead: Member | null;
  /** Of the Sentinels' configuration. */
  sentinels = 0;
  /** The highest that they have voted in. */
  voted = 0;
  acknowledged = new Set<number>();
  #writes = 0;
  /** It was replaced, or is to be, and goes on: some gate is with it. */
  former: Member | null = null;
  /** Elected, and has heard these: the one that it chose is to lead. */
  #elected: { chosen: Member; epoch: number } | null = null;
  /** What is left to do of a change of the set. */
  #steps: (() => boolean)[] = [];
  leads = 0;
  acks = 0;

  constructor(count: number, ack: Ack) {
    this.#ack = ack;
    this.members = ids.slice(0, count).map((id) => ({ id, follows: 'a', history: '0', log: [] }));
    this.lead = this.members[0] as Member;
    const all = { ...firstRecord(this.lead.id, 0), in: this.members.map(({ id }) => id) };
    for (const { log } of this.members) log.push({ record: all });
  }

  recordOf({ log }: Member): InSyncRecord | null {
    const last = log.findLast((entry) => 'record' in entry);
    return last && 'record' in last ? last.record : null;
  }

  #expectAll({ id, log }: Member): void {
    const has = new Set(log.flatMap((entry) => ('write' in entry ? [entry.write] : [])));
    const lost = [...this.acknowledged].filter((write) => !has.has(write));
    expect(lost, `${id} leads`).toEqual([]);
  }

  write(at = this.lead): void {
    at?.log.push({ write: ++this.#writes });
  }

  /** Somebody who hears of it tells a member whom to follow: one that waits for another lead hears only of a later epoch. */
  point(index: number): void {
    const member = this.members[index % this.members.length] as Member;
    if (this.lead === null || member === this.lead) return;
    if (member === this.former) this.former = null;
    if (member.follows === null && this.sentinels < this.voted) return;
    member.follows = this.lead.id;
  }

  /** A member gets some of what it lacks, or is copied anew. */
  catchUp(index: number, count: number): void {
    const member = this.members[index % this.members.length] as Member;
    const lead = [this.lead, this.former].find((each) => each?.id === member.follows);
    if (!lead || member === lead) return;
    if (member.history !== lead.history) {
      member.log = [...lead.log];
      member.history = lead.history;
    } else member.log = lead.log.slice(0, member.log.length + count);
  }

  /** A gate asks the one that it takes for the lead who has to have what that has done, and acknowledges it. */
  acknowledge(lead = this.lead): void {
    const record = lead && this.recordOf(lead);
    if (!lead || !record) return;
    const has = (id: string) => {
      const member = this.members.find((each) => each.id === id) as Member;
      return member === lead || (member.history === lead.history && member.log.length >= lead.log.length);
    };
    if (!isAcknowledged(record, has, this.#ack)) return;
    for (const entry of lead.log) if ('write' in entry) this.acknowledged.add(entry.write);
    this.acks++;
    if (this.lead !== null && this.lead !== lead) this.#expectAll(this.lead);
  }

  #put(record: InSyncRecord): void {
    this.lead?.log.push({ record });
  }

  /** Whether all that have to have it have what the lead has. */
  #arrived(record: InSyncRecord): boolean {
    const lead = this.lead as Member;
    const has = (id: string) => {
      const member = this.members.find((each) => each.id === id) as Member;
      return member.history === lead.history && member.log.length >= lead.log.length;
    };
    return isAcknowledged(record, has, this.#ack);
  }

  /** Votes, and then one step behind the other, as long as the one leads that led. */
  leave(gone: string[]): void {
    const { lead } = this;
    const before = lead && this.recordOf(lead);
    if (!lead || !before || gone.includes(lead.id) || this.#steps.length > 0) return;
    const epoch = ++this.voted;
    const next = withLeaving(before, gone, epoch);
    this.#put(next);
    this.#steps = [
      () => this.#arrived({ ...next, leaving: [] }),
      () => {
        this.sentinels = Math.max(this.sentinels, epoch);
        return true;
      },
      () => {
        // It is looked whether a later vote was given.
        if (this.voted === epoch && this.recordOf(lead) === next) this.#put(withoutLeaving(next));
        return true;
      },
    ];
  }

  join(index: number): void {
    const member = this.members[index % this.members.length] as Member;
    const before = this.lead && this.recordOf(this.lead);
    if (!this.lead || !before || before.leaving.length > 0 || before.in.includes(member.id)) return;
    if (this.#steps.length > 0) return;
    const joining = withJoining(before, [member.id]);
    this.#put(joining);
    this.#steps = [
      () => this.#arrived(joining),
      () => {
        if (this.lead && this.recordOf(this.lead) === joining) this.#put(withJoined(joining));
        return true;
      },
    ];
  }

  step(): void {
    if (this.lead !== null && this.#steps[0]?.()) this.#steps.shift();
  }

  /** Whoever was at a change of the set is gone. */
  giveUp(): void {
    this.#steps = [];
  }

  die(): void {
    this.lead = null;
    this.giveUp();
  }

  /** It is taken for lost by those who vote, and goes on. */
  cutOff(): void {
    this.former = this.lead ?? this.former;
    this.die();
  }

  /** It comes back, with all that it had, as the Sentinels name it still. */
  comeBack(former: string): void {
    if (this.#elected !== null) return;
    this.lead ??= this.members.find(({ id }) => id === former) ?? null;
    if (this.lead === this.former) this.former = null;
  }

  /** By votes; those that are heard follow nobody any more before they say what they have. */
  elect(heard: boolean[], pick: number, former: string): void {
    if (this.lead !== null || this.#elected !== null) return;
    this.voted++;
    const asked = this.members.filter(({ id }, index) => id !== former && heard[index]);
    if (this.#ack === 'quorum') for (const member of asked) member.follows = null;
    const holders = asked.map((member) => ({
      id: member.id,
      record: this.recordOf(member),
      fit: true,
      history: member.history,
      offset: member.log.length,
    }));
    const able = whoMayLead(holders, this.sentinels, this.#ack);
    const chosen = this.members.find(({ id }) => id === able[pick % able.length]?.id);
    if (chosen !== undefined) this.#elected = { chosen, epoch: this.voted };
  }

  /** What the elected does of it, if it can: nobody else was voted for since. */
  promote(): void {
    const { chosen, epoch } = this.#elected ?? {};
    this.#elected = null;
    if (chosen === undefined || epoch !== this.voted || this.lead !== null) return;
    this.#expectAll(chosen);
    this.sentinels = this.voted;
    chosen.history = `${chosen.id} ${this.voted}`;
    chosen.log.push({ record: firstRecord(chosen.id, this.voted) });
    chosen.follows = null;
    this.lead = chosen;
    this.leads++;
  }
}

const often = fc.oneof(
  { weight: 3, arbitrary: fc.constant(true) },
  { weight: 1, arbitrary: fc.constant(false) },
);
const happening = fc.oneof(
  { weight: 4, arbitrary: fc.constant({ kind: 'write' as const }) },
  {
    weight: 10,
    arbitrary: fc.record({ kind: fc.constant('catch-up' as const), who: fc.nat(3), count: fc.nat(6) }),
  },
  { weight: 5, arbitrary: fc.constant({ kind: 'acknowledge' as const }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('join' as const), who: fc.nat(3) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('leave' as const), who: fc.subarray(ids) }) },
  { weight: 10, arbitrary: fc.constant({ kind: 'step' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'give-up' as const }) },
  { weight: 2, arbitrary: fc.constant({ kind: 'die' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'come-back' as const }) },
  { weight: 2, arbitrary: fc.constant({ kind: 'cut-off' as const }) },
  { weight: 3, arbitrary: fc.constant({ kind: 'former-writes' as const }) },
  { weight: 4, arbitrary: fc.constant({ kind: 'former-acknowledges' as const }) },
  { weight: 4, arbitrary: fc.constant({ kind: 'promote' as const }) },
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('point' as const), who: fc.nat(3) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('elect' as const),
      heard: fc.array(often, { minLength: 4, maxLength: 4 }),
      pick: fc.nat(3),
    }),
  },
);

describe.each(['all', 'quorum'] as const)('ack: %s', (ack) => {
  test('whoever may lead has every write that was acknowledged, whatever happens', () => {
    let [leads, acks] = [0, 0];
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 4 }),
        fc.array(happening, { minLength: 20, maxLength: 120 }),
        (count, all) => {
          const model = new Model(count, ack);
          let former = 'a';
          for (const what of all) {
            former = model.lead?.id ?? former;
            if (what.kind === 'write') model.write();
            if (what.kind === 'catch-up') model.catchUp(what.who, what.count);
            if (what.kind === 'acknowledge') model.acknowledge();
            if (what.kind === 'join') model.join(what.who);
            if (what.kind === 'leave') model.leave(what.who);
            if (what.kind === 'step') model.step();
            if (what.kind === 'give-up') model.giveUp();
            if (what.kind === 'die') model.die();
            if (what.kind === 'come-back') model.comeBack(former);
            if (what.kind === 'cut-off') model.cutOff();
            if (what.kind === 'former-writes') model.write(model.former);
            if (what.kind === 'former-acknowledges') model.acknowledge(model.former);
            if (what.kind === 'promote') model.promote();
            if (what.kind === 'point') model.point(what.who);
            if (what.kind === 'elect') model.elect(what.heard, what.pick, former);
          }
          leads += model.leads;
          acks += model.acks;
        },
      ),
      { numRuns: 3000 },
    );
    // It was not kept by never doing anything.
    expect(leads).toBeGreaterThan(500);
    expect(acks).toBeGreaterThan(1000);
  });
});

test('a record is read as it was written, and nothing else is one', () => {
  const record = withJoining(withLeaving({ ...firstRecord('a', 3), in: ['a', 'b'] }, ['b'], 4), ['c']);
  expect(decodeInSync(encodeInSync(record))).toEqual(record);
  for (const text of [
    null,
    undefined,
    '',
    'x',
    '[]',
    '{"epoch":1}',
    '{"epoch":-1,"version":0,"in":[],"leaving":[],"joining":[]}',
  ])
    expect(decodeInSync(text)).toBeNull();
});

test('how many others are needed: all, or most with the one that leads', () => {
  const three = { ...firstRecord('a', 0), in: ['a', 'b', 'c'] };
  expect([othersNeeded(three, 'all'), othersNeeded(three, 'quorum')]).toEqual([2, 1]);
  expect(othersNeeded(withJoining(firstRecord('a', 0), ['b']), 'quorum')).toBe(1);
  expect(othersNeeded(firstRecord('a', 0), 'all')).toBe(0);
});

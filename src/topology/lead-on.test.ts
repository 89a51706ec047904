import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { aPrimary, aReplica, aView, deadProcess } from '../../test/support/views.ts';
import { decide } from './decide.ts';
import type { DecideRules, Decision } from './decision.ts';
import { decideLead, waitedFor, whyNobodyLeads } from './lead-on.ts';
import { obstacleTo } from './obstacle.ts';
import { leadByOwnWord, type Word } from './own-word.ts';
import { actingPrimary, type MemberView, namedPrimary, sentinelsEpoch, type View } from './view.ts';

const word = (leads: string, epoch: number, settled = true): Word => ({ leads, epoch, settled });
const elsewhere = { process: null, host: 'other' } as const;

const leads = (id: string, epoch: number, changes: Partial<MemberView> = {}) =>
  aPrimary(id, { word: word(id, epoch), toldIn: epoch, ...changes });
const follows = (id: string, lead: string, epoch: number, changes: Partial<MemberView> = {}) =>
  aReplica(id, {
    follows: { address: '127.0.0.1', port: 7100 + Number(lead.at(-1)) },
    word: word(lead, epoch),
    toldIn: epoch,
    ...changes,
  });

const viewOf = (...members: MemberView[]): View => aView({ sentinels: [], members });

const rules = (onSplit: 'refuse' | 'serve', ack: 'one' | 'all' = 'one'): DecideRules => ({
  sentinel: { quorum: 0, detectAfterMs: 3000 },
  gate: { durability: ack === 'one' ? 'async' : 'replicated' },
  mirror: { ack, onSplit },
  rank: 0,
  agent: { hangAfterMs: 5000, restarts: { limit: 5, withinMs: 60_000 } },
});
const decided = (view: View, nowMs = 100_000, onSplit: 'refuse' | 'serve' = 'refuse'): Decision =>
  decide(view, rules(onSplit), nowMs);

describe('who leads by the members’ own word', () => {
  test('the word of the highest epoch counts, whoever says it; of two of one epoch that of the first', () => {
    expect(leadByOwnWord([])).toBeNull();
    expect(leadByOwnWord([aPrimary('redis-1')])).toBeNull();
    expect(leadByOwnWord([leads('redis-1', 5), follows('redis-2', 'redis-3', 6)])).toEqual({
      id: 'redis-3',
      epoch: 6,
    });
    const split = [leads('redis-1', 5), leads('redis-2', 6), leads('redis-3', 6)];
    expect(leadByOwnWord(split)?.id).toBe('redis-2');
  });

  test('with Sentinels no member is asked', () => {
    const view = aView({ members: [leads('redis-1', 0), leads('redis-2', 9)] });
    expect(namedPrimary(view)?.id).toBe('redis-1');
    expect(decideLead(view)).toBeUndefined();
    expect(whyNobodyLeads(view)).toBeUndefined();
  });

  test('with Sentinels the one that they name is told that it leads when it says so of another process only', () => {
    const told = (one: Partial<MemberView>) =>
      decideLead(aView({ members: [leads('redis-1', 4, one), follows('redis-2', 'redis-1', 4)] }));
    expect(told({ word: word('redis-1', 4, false) })).toMatchObject({
      kind: 'lead-on',
      member: 'redis-1',
      epoch: 4,
    });
    expect(told({})).toBeUndefined();
    expect(told({ word: null })).toBeUndefined();
    expect(told({ word: word('redis-1', 4, false), role: 'replica' })).toBeUndefined();
  });

  test('one that was started again acts as the one that leads when it was told so', () => {
    const view = viewOf(
      leads('redis-1', 5, { word: word('redis-1', 5, false) }),
      follows('redis-2', 'redis-1', 5),
    );
    expect(namedPrimary(view)).toEqual({ id: 'redis-1', epoch: 5 });
    expect(actingPrimary(view)).toBeNull();
    expect(decided(view)).toMatchObject({ kind: 'lead-on', member: 'redis-1', epoch: 5 });
    expect(actingPrimary(viewOf(leads('redis-1', 5), follows('redis-2', 'redis-1', 5)))?.id).toBe('redis-1');
    const inSync = { epoch: 7, version: 0, in: ['redis-1'], leaving: [], joining: [] };
    const voted = leads('redis-1', 5, { word: word('redis-1', 5, false), inSync });
    expect(decideLead(viewOf(voted, follows('redis-2', 'redis-1', 5)))?.epoch).toBe(7);
  });

  test('it is not told so before all others were heard, nor when its data is gone and others have some', () => {
    const again = leads('redis-1', 5, { word: word('redis-1', 5, false) });
    const silent = follows('redis-2', 'redis-1', 5, {
      ...elsewhere,
      reachable: false,
      heard: false,
      word: null,
    });
    expect(decideLead(viewOf(again, silent))).toBeUndefined();
    expect(whyNobodyLeads(viewOf(again, silent))).toMatch(
      /redis-2 can't be asked.*holdfast failover --to redis-1/,
    );
    const empty = aPrimary('redis-1', { word: null, keys: 0 });
    expect(decideLead(viewOf(empty, follows('redis-2', 'redis-1', 5)))).toBeUndefined();
    expect(whyNobodyLeads(viewOf(empty, follows('redis-2', 'redis-1', 5)))).toMatch(/has lost its data/);
    // FLUSHALL: there is nothing anywhere.
    const flushed = viewOf(empty, follows('redis-2', 'redis-1', 5, { keys: 0 }));
    expect(decideLead(flushed)).toMatchObject({ member: 'redis-1', epoch: 5 });
  });

  test('a first start: the first in the spec, when all answer; or the only one that has data', () => {
    const [one, two] = [aPrimary('redis-1', { keys: 0 }), aPrimary('redis-2', { keys: 0 })];
    expect(decideLead(viewOf(one, two))).toMatchObject({ member: 'redis-1', epoch: 1 });
    expect(decideLead(viewOf(one, aPrimary('redis-2', { keys: 1 })))).toMatchObject({ member: 'redis-2' });
    const both = viewOf(aPrimary('redis-1', { keys: 1 }), aPrimary('redis-2', { keys: 1 }));
    expect(decideLead(both)).toBeUndefined();
    expect(whyNobodyLeads(both)).toMatch(/redis-1 and redis-2 have data: holdfast failover --to redis-1/);
    const late = viewOf(one, { ...two, ...elsewhere, reachable: false, heard: false });
    expect(decideLead(late)).toBeUndefined();
    expect(whyNobodyLeads(late)).toMatch(/redis-2 can't be asked/);
  });
});

describe('nobody votes', () => {
  const gone = {
    process: null,
    host: 'other',
    reachable: false,
    silentMs: 5000,
    unansweredMs: 5000,
    role: null,
  };

  test('a lead of another host that is lost is replaced by nobody; status says what to do', () => {
    const view = viewOf(leads('redis-1', 5, gone), follows('redis-2', 'redis-1', 5));
    expect(decided(view)).toMatchObject({ kind: 'nothing' });
    expect(whyNobodyLeads(view)).toMatch(/holdfast failover has one of redis-2 lead/);
  });

  test('with onSplit: serve it is, after detectAfter, by the agents one after the other', () => {
    const view = viewOf(leads('redis-1', 5, gone), follows('redis-2', 'redis-1', 5));
    expect(decided(view, 100_000, 'serve')).toMatchObject({
      kind: 'stand',
      member: 'redis-1',
      code: 'silent',
    });
    const silentFor = (unansweredMs: number) =>
      viewOf(leads('redis-1', 5, { ...gone, unansweredMs }), follows('redis-2', 'redis-1', 5));
    expect(decided(silentFor(2000), 100_000, 'serve').kind).toBe('nothing');
    expect(decide(silentFor(4000), { ...rules('serve'), rank: 1 }, 100_000).kind).toBe('nothing');
    expect(decide(silentFor(5000), { ...rules('serve'), rank: 1 }, 100_000).kind).toBe('stand');
  });

  test('a switchover from a lead that is lost is no way out, and says which is', () => {
    const view = viewOf(leads('redis-1', 5, gone), follows('redis-2', 'redis-1', 5));
    const moment = { nowMs: 0, sinceMs: 0, quorum: 0 };
    expect(obstacleTo(view, null, moment)?.hint).toMatch(/holdfast failover has another one lead/);
    const calm = viewOf(leads('redis-1', 5), follows('redis-2', 'redis-1', 5));
    expect(obstacleTo(calm, 'redis-2', moment)).toBeUndefined();
  });

  test('a lead whose process died is started again as the one that leads', () => {
    const died = { process: deadProcess(99_000), reachable: false, word: word('redis-1', 5, false) };
    const view = viewOf(leads('redis-1', 5, died), follows('redis-2', 'redis-1', 5));
    expect(decided(view)).toMatchObject({ kind: 'restart', process: 'redis-1', as: { kind: 'primary' } });
    const unheard = follows('redis-2', 'redis-1', 5, {
      ...elsewhere,
      reachable: false,
      heard: false,
      word: null,
    });
    expect(decided(viewOf(leads('redis-1', 5, died), unheard))).toMatchObject({ as: { kind: 'as-it-was' } });
    // A cold start: nobody has said anything yet.
    const cold = viewOf(aPrimary('redis-1', { ...died, word: null, heard: false }), unheard);
    expect(decided(cold)).toMatchObject({ as: { kind: 'as-it-was' } });
  });

  test('with ack: all its own agent has the next one lead, which has all that was acknowledged; its files may lack some of that', () => {
    const died = { process: deadProcess(99_000), reachable: false, word: word('redis-1', 5, false) };
    const record = { epoch: 5, version: 1, in: ['redis-1', 'redis-2'], leaving: [], joining: [] };
    const next = (lead: Partial<MemberView>, other: Partial<MemberView>) =>
      decide(
        viewOf(leads('redis-1', 5, { ...died, ...lead }), follows('redis-2', 'redis-1', 5, other)),
        rules('refuse', 'all'),
        100_000,
      );
    expect(next({}, { inSync: record })).toMatchObject({
      kind: 'stand',
      member: 'redis-1',
      code: 'process-gone',
    });
    const leadsOn = { kind: 'restart', process: 'redis-1', as: { kind: 'primary' } };
    // It was told to lead alone in an epoch of which the other one knows nothing.
    expect(next({ toldIn: 6, word: word('redis-1', 6, false) }, { inSync: record })).toMatchObject(leadsOn);
    // What it was told its own data say, once it has loaded them.
    expect(next({ heard: false }, { inSync: record })).toMatchObject({ as: { kind: 'as-it-was' } });
    expect(next({}, { inSync: { ...record, in: ['redis-1'] } })).toMatchObject(leadsOn);
    // On another host nobody knows whether it is gone.
    const far = viewOf(leads('redis-1', 5, gone), follows('redis-2', 'redis-1', 5, { inSync: record }));
    expect(decide(far, rules('refuse', 'all'), 100_000).kind).toBe('nothing');
  });

  test('with ack: all one that was started again does not lead on over one that has all that was acknowledged', () => {
    const record = { epoch: 5, version: 1, in: ['redis-1', 'redis-2'], leaving: [], joining: [] };
    const next = (lead: Partial<MemberView>, other: Partial<MemberView>, ack: 'one' | 'all' = 'all') =>
      decide(
        viewOf(
          leads('redis-1', 5, { word: word('redis-1', 5, false), ...lead }),
          follows('redis-2', 'redis-1', 5, { ...elsewhere, inSync: record, linkUp: false, ...other }),
        ),
        rules('refuse', ack),
        100_000,
      );
    expect(next({}, {})).toMatchObject({ kind: 'stand', member: 'redis-1', code: 'started-again' });
    const leadsOn = { kind: 'lead-on', member: 'redis-1' };
    // Both were started again: of neither is it known that it has everything.
    expect(next({}, { synced: false })).toMatchObject(leadsOn);
    expect(next({}, { inSync: { ...record, in: ['redis-1'] } })).toMatchObject(leadsOn);
    expect(next({}, {}, 'one')).toMatchObject(leadsOn);
    expect(next({ toldIn: 6, word: word('redis-1', 6, false) }, {})).toMatchObject(leadsOn);
    expect(next({ word: word('redis-1', 5) }, {}).kind).not.toBe('stand');
    expect(next({ role: null, word: null, busy: { code: 'loading', sinceMs: 0 } }, {}).kind).toBe('nothing');
  });

  test('a former lead that comes back is told whom to follow', () => {
    const view = viewOf(leads('redis-1', 5), leads('redis-2', 6, { process: null, host: 'other' }));
    expect(decided(view)).toMatchObject({ kind: 'follow', member: 'redis-1', primary: 'redis-2' });
  });

  test('nobody leaves those in sync by itself: writes wait, and status says for whom', () => {
    const record = { epoch: 5, version: 1, in: ['redis-1', 'redis-2'], leaving: [], joining: [] };
    const away = follows('redis-2', 'redis-1', 5, {
      ...elsewhere,
      reachable: false,
      silentMs: 9000,
      unansweredMs: 9000,
    });
    const view = viewOf(leads('redis-1', 5, { inSync: record }), away);
    expect(decide(view, rules('refuse', 'all'), 100_000).kind).toBe('nothing');
    expect(waitedFor(view).join()).toMatch(/writes wait for redis-2.*failover --to redis-1/);
    expect(
      waitedFor(viewOf(leads('redis-1', 5, { inSync: record }), follows('redis-2', 'redis-1', 5))),
    ).toEqual([]);
    const alone = { ...record, in: ['redis-1'] };
    const joins = viewOf(leads('redis-1', 5, { inSync: alone }), follows('redis-2', 'redis-1', 5));
    expect(decide(joins, rules('refuse', 'all'), 100_000)).toMatchObject({
      kind: 'in-sync-joins',
      member: 'redis-2',
    });
  });
});

/** What a member has on its disk, and whether the process that it is now was told so. */
interface Stored {
  leads: string | null;
  epoch: number;
  settled: boolean;
}

describe('whoever dies, comes back, or is chosen by whomever on which side of a split', () => {
  const ids = ['redis-1', 'redis-2', 'redis-3'];
  const step = fc.oneof(
    fc.record({ kind: fc.constant('choose' as const), by: fc.nat(2), to: fc.nat(2) }),
    fc.record({ kind: fc.constant('restart' as const), who: fc.nat(2) }),
    fc.record({ kind: fc.constant('agent-begins' as const), who: fc.nat(2) }),
    fc.record({ kind: fc.constant('split' as const), alone: fc.nat(2) }),
    fc.record({ kind: fc.constant('heal' as const) }),
    fc.record({ kind: fc.constant('look' as const), by: fc.nat(2) }),
  );

  test('no agent has one lead of which it knows that it was replaced; once all hear each other one leads', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const data: Stored[] = ids.map(() => ({ leads: null, epoch: 0, settled: false }));
        let alone: number | null = null;
        const sees = (by: number, who: number) =>
          by === who || alone === null || (by !== alone && who !== alone);
        const known: (Word | null | undefined)[][] = ids.map(() => ids.map(() => undefined));
        const look = (by: number) => {
          ids.forEach((_id, who) => {
            const at = data[who] as Stored;
            if (sees(by, who)) known[by]![who] = at.leads === null ? null : { ...at, leads: at.leads };
          });
          return viewOf(
            ...ids.map((id, who) => {
              const last = known[by]![who];
              const isMe = by === who;
              const role = data[who]!.leads === null || data[who]!.leads === id ? 'primary' : 'replica';
              const make = role === 'primary' ? aPrimary : aReplica;
              return make(id, {
                ...(isMe ? {} : elsewhere),
                reachable: sees(by, who),
                heard: last !== undefined,
                word: last ?? null,
                toldIn: last?.epoch ?? 0,
                keys: 0,
                follows:
                  role === 'primary'
                    ? null
                    : { address: '127.0.0.1', port: 7100 + Number(data[who]!.leads?.at(-1)) },
              });
            }),
          );
        };
        const tell = (who: number, leadsNow: string, epoch: number) => {
          if (epoch < data[who]!.epoch) return;
          data[who] = { leads: leadsNow, epoch, settled: true };
        };
        const act = (by: number) => {
          const view = look(by);
          const next = decide(view, rules('refuse'), 100_000);
          if (next.kind === 'lead-on') {
            const highest = Math.max(...known[by]!.map((each) => each?.epoch ?? 0));
            expect(next.epoch).toBeGreaterThanOrEqual(highest);
            expect(known[by]!.every((each) => each !== undefined)).toBe(true);
            tell(ids.indexOf(next.member), next.member, next.epoch);
          }
          if (next.kind === 'follow') tell(by, next.primary, namedPrimary(view)?.epoch ?? 0);
        };
        for (const each of steps) {
          if (each.kind === 'split') alone = each.alone;
          if (each.kind === 'heal') alone = null;
          if (each.kind === 'restart') data[each.who]!.settled = data[each.who]!.leads !== ids[each.who];
          if (each.kind === 'agent-begins') known[each.who] = ids.map(() => undefined);
          if (each.kind === 'look') act(each.by);
          if (each.kind === 'choose' && sees(each.by, each.to)) {
            const epoch = sentinelsEpoch(look(each.by)) + 1;
            tell(each.to, ids[each.to] as string, epoch);
          }
        }
        alone = null;
        for (let round = 0; round < 4; round++) for (const by of ids.keys()) act(by);
        const views = ids.map((_id, by) => look(by));
        const acting = views.map((view) => actingPrimary(view)?.id);
        expect(new Set(acting).size).toBe(1);
        expect(acting[0]).toBeDefined();
        const others = data.filter((_at, who) => ids[who] !== acting[0]);
        expect(others.every((at) => at.leads === acting[0])).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});

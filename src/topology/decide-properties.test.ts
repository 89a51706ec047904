/**
 * What must hold of every decision, whatever an agent sees. The conditions are written here anew, from the rules and
 * not from the code, and over views that mix everything that can be wrong at once.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { anyRules, anyView, nowMs } from '../../test/support/random-views.ts';
import { decide, isBesidePlans } from './decide.ts';
import { type DecideRules, type Decision, decisionKey } from './decision.ts';
import { type MemberView, namedPrimary, type ProcessView, type View } from './view.ts';

const numRuns = 2000;

/** Checks a property of the decision over many views; views whose decision is of another kind pass. */
function always<K extends Decision['kind']>(
  kinds: readonly K[],
  check: (decision: Extract<Decision, { kind: K }>, view: View, rules: DecideRules) => void,
): void {
  const isOne = (decision: Decision): decision is Extract<Decision, { kind: K }> =>
    (kinds as readonly string[]).includes(decision.kind);
  fc.assert(
    fc.property(anyView, anyRules, (view, rules) => {
      const decision = decide(view, rules, nowMs);
      if (isOne(decision)) check(decision, view, rules);
    }),
    { numRuns },
  );
}

const member = (view: View, id: string) => view.members.find((each) => each.id === id) as MemberView;
const processOf = (view: View, id: string): ProcessView | null | undefined =>
  [...view.members, ...view.sentinels, ...view.gates].find((each) => each.id === id)?.process;
const subjectOf = (decision: Exclude<Decision, { kind: 'nothing' }>) =>
  'member' in decision ? decision.member : decision.process;
const others = (view: View, id: string) => view.members.filter((each) => each.id !== id);

/** Whom more than half of all Sentinels name. */
function word(view: View): string | undefined {
  const votes = (id: string) =>
    view.sentinels.filter(({ reachable, primary }) => reachable && primary === id).length;
  return view.members.find(({ id }) => votes(id) * 2 > view.sentinels.length)?.id;
}

const saidToBeDown = (view: View) => view.sentinels.some(({ agreedDownAtMs }) => agreedDownAtMs !== null);

/** For detectAfter neither this agent, of another host, nor enough Sentinels had an answer. */
function silentToAll(view: View, id: string, { quorum, detectAfterMs }: DecideRules['sentinel']): boolean {
  const { process, unansweredMs } = member(view, id);
  const agree = view.sentinels.filter(
    ({ tilt, primary, primarySilentMs }) => !tilt && primary === id && primarySilentMs >= detectAfterMs,
  ).length;
  const enough = agree >= quorum && agree * 2 > view.sentinels.length;
  return process === null && unansweredMs >= detectAfterMs && enough;
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null)
    for (const each of Object.values(Object.freeze(value))) deepFreeze(each);
  return value;
}

test('the views call for every kind of decision, often enough to mean something', () => {
  const views = fc.sample(fc.tuple(anyView, anyRules), { numRuns: 4000, seed: 7 });
  const found = views.map(([view, rules]) => decide(view, rules, nowMs));
  const count = (kind: Decision['kind']) => found.filter((each) => each.kind === kind).length;
  const kinds = ['nothing', 'kill', 'stand', 'follow', 'restart', 'refuse', 'give-up'] as const;
  expect(kinds.filter((kind) => count(kind) < 10)).toEqual([]);
  const startsAs = (kind: string) =>
    found.filter((each) => each.kind === 'restart' && each.as.kind === kind).length;
  expect(['primary', 'replica', 'as-configured'].filter((kind) => startsAs(kind) < 10)).toEqual([]);
});

test('deciding changes nothing that it is given, and says the same each time', () => {
  fc.assert(
    fc.property(anyView, anyRules, (view, rules) => {
      const first = decide(deepFreeze(view), deepFreeze(rules), nowMs);
      expect(decide(structuredClone(view), rules, nowMs)).toEqual(first);
    }),
    { numRuns },
  );
});

test('paused, or during a planned change: nothing, but the kill of what was stopped, and the start of a gate or Sentinel that died', () => {
  fc.assert(
    fc.property(anyView, anyRules, fc.constantFrom('a switchover', null), (view, rules, operation) => {
      const found = decide({ ...view, operation, paused: operation === null }, rules, nowMs);
      expect(isBesidePlans(found) ? operation : found.kind).toBe(
        isBesidePlans(found) ? 'a switchover' : 'nothing',
      );
      if (found.kind === 'restart') expect(view.members.map(({ id }) => id)).not.toContain(found.process);
    }),
  );
});

test('an agent that was not elected acts on its own processes only', () => {
  always(['kill', 'follow', 'restart', 'refuse', 'give-up'], (decision, view) => {
    expect(processOf(view, subjectOf(decision))).toBeTruthy();
  });
});

test('what was given up is never touched', () => {
  always(['kill', 'follow', 'restart', 'refuse', 'give-up'], (decision, view) => {
    expect(processOf(view, subjectOf(decision))?.failed).toBe(false);
  });
});

test('only what died unasked is restarted, refused or given up', () => {
  always(['restart', 'refuse', 'give-up'], (decision, view) => {
    const process = processOf(view, subjectOf(decision));
    expect(process).toMatchObject({ running: false, ending: false });
    expect(process?.diedAtMs).not.toBeNull();
  });
});

test('only a live process is killed: stopped, silent for hangAfter and not busy, or replaced as primary and deaf', () => {
  always(['kill'], (decision, view, { agent }) => {
    const process = processOf(view, decision.process);
    expect(process?.running).toBe(true);
    if ((process?.activity.stoppedMs ?? 0) >= 500) return;
    const server = view.members.find(({ id }) => id === decision.process);
    if (server === undefined) {
      expect(process?.silentMs).toBeGreaterThanOrEqual(Math.max(5000, agent.hangAfterMs));
      return;
    }
    if (decision.code === 'deposed') {
      expect([server.busy !== null, server.role]).toEqual([true, 'primary']);
      expect(server.id).not.toBe(namedPrimary(view)?.id);
      return;
    }
    expect(server.busy).toBeNull();
    const isNamed = namedPrimary(view)?.id === server.id;
    const waits = isNamed && (process?.activity.waitingMs ?? 0) >= 500 && server.unansweredMs >= 500;
    expect(waits || server.silentMs >= agent.hangAfterMs).toBe(true);
  });
});

test('nothing is waited for that is past', () => {
  always(['nothing'], ({ untilMs }) => {
    if (untilMs !== undefined) expect(untilMs).toBeGreaterThan(nowMs);
  });
});

test('a decision is known by what it is, not by its words', () => {
  always(['kill', 'stand', 'follow', 'restart', 'refuse', 'give-up'], (decision) => {
    const inOtherWords = { ...decision, reason: 'in other words', hint: 'another hint' };
    expect(decisionKey(inOtherWords)).toBe(decisionKey(decision));
    expect(decisionKey(decision)).toContain(subjectOf(decision));
    expect(decisionKey({ ...decision, kind: 'nothing', code: 'all-well' })).not.toBe(decisionKey(decision));
  });
});

test('every reason names whom it is about', () => {
  always(['kill', 'stand', 'follow', 'restart', 'refuse', 'give-up'], (decision) => {
    expect(decision.reason).toContain(subjectOf(decision));
  });
});

/** Nobody is selected and no Sentinel is in a failover, unless it is certain enough that nothing comes of it. */
function expectNoFailover(view: View, instead: string): void {
  const { selection, promoted } = view;
  if (selection !== null) {
    const { process, refuses, reachable, role, seenAtMs } = member(view, selection.member);
    const gone = process === null ? refuses : !process.running;
    const silent = !reachable && nowMs - selection.atMs >= 2000;
    const idle = reachable && role !== 'primary' && seenAtMs - selection.atMs >= 1000;
    const inVain = promoted?.member === selection.member && nowMs - promoted.atMs >= 2000;
    if (gone || silent || idle || inVain) return;
  }
  expect([instead, undefined]).toContain(selection?.member);
  const busy = view.sentinels.filter(({ reachable, failoverInProgress }) => reachable && failoverInProgress);
  expect(busy).toEqual([]);
}

describe('an agent stands for election', () => {
  test('only to replace the primary that a majority names, and only when there is a reason', () => {
    always(['stand'], (decision, view, { sentinel }) => {
      expect(word(view)).toBe(decision.member);
      const { process, reachable, busy, role, refuses } = member(view, decision.member);
      const answers = reachable && !busy;
      switch (decision.code) {
        case 'process-gone':
          return expect(process).toMatchObject({ running: false, diedAtMs: expect.any(Number) });
        case 'agreed-down':
          expect(answers).toBe(false);
          return expect(saidToBeDown(view) || silentToAll(view, decision.member, sentinel)).toBe(true);
        case 'vote-unused':
          return expect({ vote: view.vote, refuses }).toMatchObject({ vote: {}, refuses: true });
        case 'not-acting':
          return expect({ answers, role }).toEqual({ answers: true, role: 'replica' });
      }
    });
  });

  test('never while someone else was voted for within half a second, or before it may again', () => {
    always(['stand'], (_decision, { vote, standAgainAtMs }) => {
      if (vote !== null && !vote.ours) expect(nowMs - vote.atMs).toBeGreaterThanOrEqual(500);
      expect(standAgainAtMs ?? 0).toBeLessThanOrEqual(nowMs);
    });
  });

  test('only with a quorum of Sentinels that answer and are in no TILT', () => {
    always(['stand'], (_decision, view, { sentinel: { quorum } }) => {
      const able = view.sentinels.filter(({ reachable, tilt }) => reachable && !tilt);
      expect(able.length * 2).toBeGreaterThan(view.sentinels.length);
      expect(able.length).toBeGreaterThanOrEqual(quorum);
    });
  });

  /** Whom the named primary follows as its replica, and that acts as a primary. */
  const insteadOf = (view: View, id: string) => {
    const { role, follows } = member(view, id);
    return others(view, id).filter(
      (each) =>
        role === 'replica' && each.reachable && each.role === 'primary' && each.port === follows?.port,
    );
  };

  test('only when a replica is fit, or another one has the place of the primary already', () => {
    always(['stand'], (decision, view, { gate }) => {
      const longGone = nowMs - (view.noPrimarySinceMs ?? nowMs) >= 10_000;
      const replicas = view.members.filter(
        ({ reachable, busy, role, synced, priority, process, awaited }) =>
          [reachable, !busy, role === 'replica', synced, priority > 0].every(Boolean) &&
          (awaited || gate.durability === 'async' || longGone) &&
          process?.running !== false &&
          (process?.activity.stoppedMs ?? 0) === 0,
      );
      const instead = insteadOf(view, decision.member);
      const able = instead.length > 0 ? instead.slice(0, 1) : replicas;
      const fit = able.filter(({ id }) => !view.unwilling.some((each) => each.member === id));
      expect(fit).not.toEqual([]);
      for (const { id } of fit) expect(decision.reason).toContain(id);
    });
  });

  test('only when no failover is on its way', () => {
    always(['stand'], (decision, view) => {
      expectNoFailover(view, decision.member);
      const acting = others(view, decision.member).filter(
        ({ reachable, role }) => reachable && role === 'primary',
      );
      if (insteadOf(view, decision.member).length === 0) expect(acting).toEqual([]);
    });
  });
});

describe('a member is started as primary', () => {
  const always1 = (check: (id: string, view: View) => void) =>
    always(['restart'], (decision, view) => {
      if (decision.as.kind === 'primary') check(decision.process, view);
    });

  test('only when a majority of the Sentinels names it', () => {
    always1((id, view) => expect(word(view)).toBe(id));
  });

  test('never without its data while another member holds keys, or more than a minority may hold some', () => {
    always1((id, view) => {
      if (member(view, id).dataIntact) return;
      expect(others(view, id).filter(({ keys }) => (keys ?? 0) > 0)).toEqual([]);
      const empty = others(view, id).filter(({ reachable, keys, busy }) => reachable && keys === 0 && !busy);
      expect((empty.length + 1) * 2).toBeGreaterThan(view.members.length);
    });
  });

  test('never with older data while a replica that was in sync holds keys', () => {
    always1((id, view) => {
      const { dataIntact, dataStale } = member(view, id);
      if (!dataIntact || !dataStale) return;
      expect(others(view, id).filter(({ keys, synced }) => (keys ?? 0) > 0 && synced)).toEqual([]);
    });
  });

  test('never during a failover, and not within 15 s beside another that acts as primary', () => {
    always1((id, view) => {
      expectNoFailover(view, id);
      if (nowMs - (member(view, id).process?.diedAtMs as number) >= 15_000) return;
      expect(others(view, id).filter(({ reachable, role }) => reachable && role === 'primary')).toEqual([]);
    });
  });
});

/** Whether a member may be followed: it acts as primary, and was selected or is the majority's word. */
function acts(view: View, id: string): boolean {
  const { reachable, role } = member(view, id);
  return reachable && role === 'primary' && (view.selection?.member === id || word(view) === id);
}

test('a replica is only ever started for another member: the one that acts as primary, or the one that is named', () => {
  always(['restart'], (decision, view) => {
    if (decision.as.kind !== 'replica') return;
    expect(decision.as.of).not.toBe(decision.process);
    const acting = view.members.filter(({ id }) => acts(view, id)).map(({ id }) => id);
    expect(acting.length > 0 ? acting : [word(view)]).toContain(decision.as.of);
  });
});

test('a member with data never starts as the replica of an empty primary of another history', () => {
  always(['restart'], (decision, view) => {
    const { kept } = member(view, decision.process) ?? {};
    if (decision.as.kind !== 'replica' || !kept) return;
    const { reachable, busy, keys, role, histories } = member(view, decision.as.of);
    if (!reachable || busy || keys !== 0 || role !== 'primary') return;
    expect(histories).toContain(kept.history);
  });
});

test('nobody is pointed at anyone but the acting primary, and nobody at itself', () => {
  always(['follow'], (decision, view) => {
    expect(acts(view, decision.primary)).toBe(true);
    expect(decision.member).not.toBe(decision.primary);
    // Nor at one that a Sentinel is at replacing.
    const replacing = view.sentinels.filter((each) => each.reachable && each.failoverInProgress);
    expect(replacing.map(({ primary }) => primary)).not.toContain(
      word(view) === decision.primary ? decision.primary : null,
    );
    expect(member(view, decision.member)).toMatchObject({
      reachable: true,
      busy: null,
      process: { running: true },
    });
  });
});

test('a member that acts as primary is demoted only on the word of a majority that nobody contradicts', () => {
  always(['follow'], (decision, view) => {
    if (member(view, decision.member).role !== 'primary') return;
    const named = word(view);
    expect(view.selection).toBeNull();
    expect(named).toBe(decision.primary);
    const epoch = Math.max(
      ...view.sentinels.filter((s) => s.reachable && s.primary === named).map((s) => s.configEpoch),
    );
    const contrary = view.sentinels.filter(
      ({ reachable, primary, configEpoch }) =>
        reachable && primary === decision.member && configEpoch >= epoch,
    );
    expect(contrary).toEqual([]);
  });
});

test('a process is given up only when its budget is used up, and restarted only when it is not', () => {
  always(['give-up', 'restart'], (decision, view, { agent: { restarts } }) => {
    const made = processOf(view, decision.process)?.restartsMs.filter(
      (at) => at > nowMs - restarts.withinMs,
    ).length;
    expect((made as number) >= restarts.limit).toBe(decision.kind === 'give-up');
  });
});

test('what was refused or given up is not refused or given up again: no storm of events', () => {
  always(['refuse', 'give-up'], (decision, view, rules) => {
    const id = subjectOf(decision);
    const done =
      decision.kind === 'refuse'
        ? { refusal: { code: decision.code, about: decision.about, reason: 'whatever words' } }
        : { failed: true };
    const after = <T extends { id: string; process: ProcessView | null }>(part: T): T =>
      part.id === id ? { ...part, process: { ...(part.process as ProcessView), ...done } } : part;
    const next: View = {
      ...view,
      members: view.members.map(after),
      sentinels: view.sentinels.map(after),
      gates: view.gates.map(after),
    };
    const again = decide(next, rules, nowMs);
    expect(again.kind === decision.kind && subjectOf(again) === id).toBe(false);
  });
});

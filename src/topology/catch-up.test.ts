/**
 * A primary, replicas that come and go, gates that acknowledge by in-sync.ts, and an agent that gives priorities by
 * catch-up.ts and eligibility.ts: in whatever order things happen, who may take over has everything that was acknowledged.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type InSync,
  type InSyncEvent,
  type InSyncStep,
  initialInSync,
  stepInSync,
} from '../gate/upstream/in-sync.ts';
import {
  type CatchUps,
  type MemberSeen,
  noCatchUps,
  type PrimarySeen,
  settleMs,
  stepCatchUps,
} from './catch-up.ts';

const replica = (priority: number, changes: Partial<MemberSeen> = {}): MemberSeen => {
  return { id: 'r', runId: 'run-1', role: 'replica', priority, ...changes };
};
const primary = (
  offset: number,
  acknowledged: number | null,
  changes: Partial<PrimarySeen> = {},
): PrimarySeen => {
  const online = new Map(acknowledged === null ? [] : [['r', acknowledged]]);
  return { id: 'p', runId: 'run-p', offset, seenAtMs: 0, online, ...changes };
};

/** What the replica comes to, look by look. */
function stages(looks: [PrimarySeen | null, MemberSeen, number?][], from: CatchUps = noCatchUps): string[] {
  let known = from;
  return looks.map(([seen, member, nowMs = 0]) => {
    known = stepCatchUps(known, seen && { ...seen, seenAtMs: nowMs }, [member], nowMs);
    return known.members.get('r')?.stage ?? '';
  });
}

describe('a replica that has copied everything', () => {
  test('has caught up when it has acknowledged what the primary had when that first called it online', () => {
    const found = stages([
      [primary(100, null), replica(0)],
      [primary(200, 0), replica(0)],
      [primary(300, 199), replica(0)],
      [primary(400, 200), replica(0)],
    ]);
    expect(found).toEqual(['copying', 'copying', 'copying', 'caught-up']);
  });

  test('is awaited when it has acknowledged what the primary had a while after it got its priority', () => {
    const found = stages([
      [primary(100, 100), replica(0), 0],
      [primary(100, 100), replica(100), 50],
      [primary(500, 500), replica(100), 49 + settleMs],
      [primary(600, 550), replica(100), 50 + settleMs],
      [primary(700, 599), replica(100), 300 + settleMs],
      [primary(800, 600), replica(100), 600 + settleMs],
    ]);
    expect(found).toEqual(['caught-up', 'eligible', 'eligible', 'eligible', 'eligible', 'awaited']);
  });

  test('begins anew with its priority gone, another process, or its link broken before it was put back', () => {
    const caughtUp = [primary(100, 100), replica(0)] as const;
    expect(stages([[...caughtUp], [primary(200, null), replica(0)]])).toEqual(['caught-up', 'copying']);
    expect(stages([[...caughtUp], [null, replica(0, { runId: 'run-2' })]])).toEqual(['caught-up', 'copying']);
    const awaited = [primary(100, null), replica(100)] as const;
    expect(stages([[...awaited], [primary(200, null), replica(0)]])).toEqual(['awaited', 'copying']);
    expect(stages([[...awaited], [null, replica(100, { runId: 'run-2' })]])).toEqual(['awaited', 'eligible']);
  });
});

test('who was primary is not awaited when it follows another', () => {
  const found = stages([
    [null, replica(100, { role: 'primary' })],
    [primary(100, 100), replica(100)],
  ]);
  expect(found).toEqual(['primary', 'eligible']);
});

test('with another primary who was awaited stays so, and who was not begins the stage anew', () => {
  const next = (offset: number, acknowledged: number) =>
    primary(offset, acknowledged, { id: 'q', runId: 'run-q' });
  expect(
    stages([
      [primary(100, 0), replica(100)],
      [next(200, 0), replica(100)],
    ]),
  ).toEqual(['awaited', 'awaited']);
  const eligible = [
    [primary(100, 100), replica(0), 0],
    [primary(100, 100), replica(100), 10],
    [next(300, 300), replica(100), 10 + settleMs],
    [next(300, 300), replica(100), 10 + 2 * settleMs],
  ] satisfies Parameters<typeof stages>[0];
  expect(stages(eligible)).toEqual(['caught-up', 'eligible', 'eligible', 'awaited']);
});

type Happening =
  | { kind: 'write' | 'ask' | 'answer'; gate: number }
  | { kind: 'read' | 'acknowledge' | 'break' | 'link' | 'restart' | 'take-out'; copy: number }
  | { kind: 'look' | 'put-back' }
  | { kind: 'wait'; ms: number };

const which = fc.nat(1);
const happening: fc.Arbitrary<Happening> = fc.oneof(
  {
    weight: 24,
    arbitrary: fc.record({
      kind: fc.constantFrom('write' as const, 'ask' as const, 'answer' as const),
      gate: which,
    }),
  },
  {
    weight: 24,
    arbitrary: fc.record({
      kind: fc.constantFrom('read' as const, 'acknowledge' as const, 'link' as const),
      copy: which,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constantFrom('break' as const, 'restart' as const, 'take-out' as const),
      copy: which,
    }),
  },
  {
    weight: 20,
    arbitrary: fc.record({ kind: fc.constantFrom('look' as const, 'look' as const, 'put-back' as const) }),
  },
  {
    weight: 20,
    arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.constantFrom(10, 100, 300) }),
  },
);

/** A replica: what it has of the stream, and what the primary knows of it. */
class Copy {
  readonly id: string;
  has = 0;
  acknowledged = 0;
  online = true;
  priority = 100;
  run = 1;

  constructor(id: string) {
    this.id = id;
  }

  take(kind: Extract<Happening, { copy: number }>['kind'], offset: number): void {
    if (kind === 'take-out') this.priority = 0;
    if (kind === 'break') this.online = false;
    if (kind === 'restart') Object.assign(this, { online: false, has: 0, priority: 0, run: this.run + 1 });
    if (kind === 'link' && !this.online) Object.assign(this, { online: true, acknowledged: 0 });
    if (kind === 'read' && this.online) this.has = offset;
    if (kind === 'acknowledge' && this.online) this.acknowledged = this.has;
  }
}

/** A gate acts on what it was told up to 400 ms ago. */
class Gate {
  #inSync: InSync = initialInSync(['a', 'b']);
  #target = 0;
  #waits = false;
  #told: { atMs: number; eligible: ReadonlySet<string> } | null = null;
  acknowledged = 0;

  round(offset: number, copies: readonly Copy[], nowMs: number): void {
    if (this.#waits) return;
    this.#target = offset;
    const online = new Map(copies.filter((each) => each.online).map((each) => [each.id, each.acknowledged]));
    this.#waits = this.#step({ kind: 'round', target: offset, online }, nowMs).ask;
  }

  ask(copies: readonly Copy[], nowMs: number): void {
    if (!this.#waits || this.#told !== null) return;
    const eligible = new Set(copies.filter(({ priority }) => priority > 0).map(({ id }) => id));
    this.#told = { atMs: nowMs, eligible };
  }

  answer(nowMs: number): void {
    if (this.#told === null) return;
    const { atMs, eligible } = this.#told;
    this.#told = null;
    this.#waits = false;
    if (nowMs - atMs <= 400) this.#step({ kind: 'eligibility', asked: 1, eligible, heard: eligible }, nowMs);
  }

  #step(event: InSyncEvent, nowMs: number): InSyncStep {
    const found = stepInSync(this.#inSync, event, 1, nowMs);
    this.#inSync = found.state;
    if (found.confirmed) this.acknowledged = this.#target;
    return found;
  }
}

class World {
  #nowMs = 10_000;
  #offset = 0;
  #known = noCatchUps;
  readonly #copies = [new Copy('a'), new Copy('b')];
  readonly #gates = [new Gate(), new Gate()];
  /** How often one was awaited that had not been. */
  returns = 0;

  constructor() {
    this.#look();
  }

  take(event: Happening): void {
    if (event.kind === 'wait') this.#nowMs += event.ms;
    else if (event.kind === 'look') this.#look();
    else if (event.kind === 'put-back') this.#putBack();
    else if ('gate' in event) this.#gate(event.kind, this.#gates[event.gate] as Gate);
    else if ('copy' in event) this.#copies[event.copy]?.take(event.kind, this.#offset);
  }

  /** What there is to choose from when the primary dies now, and how much was acknowledged. */
  end(): { awaited: Copy[]; acknowledged: number } {
    const { members } = stepCatchUps(this.#known, null, this.#seen(), this.#nowMs);
    const awaited = this.#copies.filter(({ id }) => members.get(id)?.stage === 'awaited');
    return { awaited, acknowledged: Math.max(...this.#gates.map((gate) => gate.acknowledged)) };
  }

  #gate(kind: 'write' | 'ask' | 'answer', gate: Gate): void {
    if (kind === 'ask') gate.ask(this.#copies, this.#nowMs);
    else if (kind === 'answer') gate.answer(this.#nowMs);
    else {
      this.#offset += 10;
      gate.round(this.#offset, this.#copies, this.#nowMs);
    }
  }

  #seen(): MemberSeen[] {
    return this.#copies.map(({ id, run, priority }) => ({ id, runId: `${run}`, role: 'replica', priority }));
  }

  #look(): void {
    const before = this.#known;
    const online = new Map(
      this.#copies.filter((each) => each.online).map((each) => [each.id, each.acknowledged]),
    );
    const seen = { id: 'p', runId: 'run-p', offset: this.#offset, seenAtMs: this.#nowMs, online };
    this.#known = stepCatchUps(before, seen, this.#seen(), this.#nowMs);
    for (const [id, { stage }] of before.members)
      if (stage !== 'awaited' && this.#known.members.get(id)?.stage === 'awaited') this.returns++;
  }

  #putBack(): void {
    for (const copy of this.#copies)
      if (copy.priority === 0 && this.#known.members.get(copy.id)?.stage === 'caught-up') copy.priority = 100;
  }
}

test('whatever happens, who may take over has everything that any gate has acknowledged', () => {
  let returns = 0;
  fc.assert(
    fc.property(fc.array(happening, { minLength: 200, maxLength: 300, size: 'max' }), (events) => {
      const world = new World();
      for (const event of events) {
        world.take(event);
        const { awaited, acknowledged } = world.end();
        for (const { id, has } of awaited)
          expect({ id, has: Math.max(has, acknowledged) }).toEqual({ id, has });
      }
      returns += world.returns;
    }),
    { numRuns: 200 },
  );
  expect(returns).toBeGreaterThan(50);
});

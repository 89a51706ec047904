import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type ChangeMark,
  type ChangeStep,
  countsAgree,
  type DataKind,
  describeChange,
  kindOfSettings,
  kindOnDisk,
  nextStep,
} from './plan.ts';

/**
 * A server as far as its files matter. Its data is a number that each write raises; a file has the number that it was
 * written with. What an AOF gets while it is on is in it at once, as with appendfsync always.
 */
class ModelServer {
  data: number;
  aof: { stamp: string; data: number } | null;
  rdb: { stamp: string; data: number } | null;
  child: { kind: 'aof' | 'rdb'; data: number } | null = null;
  appendonly: boolean;
  mark: ChangeMark | null = null;
  settled: DataKind;
  /** What must be there after a crash now. */
  durable: number;
  #stamps = 0;

  constructor(from: DataKind, old: { aof: boolean; rdb: boolean }) {
    this.data = 100;
    this.settled = from;
    this.appendonly = from === 'aof';
    const stale = (there: boolean) => (there ? { stamp: this.#stamp(), data: 7 } : null);
    this.aof = from === 'aof' ? { stamp: this.#stamp(), data: 100 } : stale(old.aof);
    this.rdb = from === 'rdb' ? { stamp: this.#stamp(), data: 90 } : stale(old.rdb);
    this.durable = from === 'aof' ? 100 : from === 'rdb' ? 90 : 0;
  }

  begin(to: DataKind): void {
    const aofBefore = this.aof?.stamp ?? null;
    const rdbBefore = this.rdb?.stamp ?? null;
    const { settled: from } = this;
    this.mark = { from, to, stage: 'writing', aofBefore, rdbBefore, savedFirst: false, startedAt: '' };
  }

  get kind(): DataKind {
    return this.mark ? kindOnDisk(this.mark, this.aof?.stamp ?? null) : this.settled;
  }

  write(): void {
    this.data += 1;
    if (this.appendonly && this.aof && this.child?.kind !== 'aof') this.aof.data = this.data;
    if (this.kind === 'aof' && this.appendonly) this.durable = this.aof?.data ?? 0;
  }

  /** A child that is under way ends. */
  endChild(): void {
    const { child } = this;
    if (child === null) return;
    this.child = null;
    // A rewrite also has what was written meanwhile.
    if (child.kind === 'aof') this.aof = { stamp: this.#stamp(), data: this.data };
    else this.rdb = { stamp: this.#stamp(), data: child.data };
    if (child.kind === 'rdb' && this.mark?.from === 'rdb' && this.kind === 'rdb') this.durable = child.data;
  }

  crash(): void {
    const { kind } = this;
    this.child = null;
    this.appendonly = kind === 'aof';
    this.data = (kind === 'aof' ? this.aof?.data : this.rdb?.data) ?? 0;
  }

  step(): ChangeStep {
    const { mark } = this;
    if (mark === null) return 'finish';
    const sight = {
      appendonly: this.appendonly,
      busy: this.child !== null,
      aofStamp: this.aof?.stamp ?? null,
      rdbStamp: this.rdb?.stamp ?? null,
    };
    const step = nextStep(mark, sight);
    this.#do(step, mark);
    return step;
  }

  #do(step: ChangeStep, mark: ChangeMark): void {
    switch (step) {
      case 'wait':
        this.endChild();
        return;
      case 'save':
        this.child = { kind: 'rdb', data: this.data };
        this.mark = { ...mark, savedFirst: true };
        return;
      case 'start-aof':
        this.appendonly = true;
        this.child = { kind: 'aof', data: this.data };
        return;
      case 'stop-aof-and-save':
        this.mark = { ...mark, rdbBefore: this.rdb?.stamp ?? null };
        this.appendonly = false;
        this.child = { kind: 'rdb', data: this.data };
        return;
      case 'check-aof':
      case 'check-rdb':
        this.mark = { ...mark, stage: 'written' };
        this.durable = (mark.to === 'aof' ? this.aof?.data : this.rdb?.data) ?? 0;
        return;
      case 'stop':
        this.appendonly = false;
        this.mark = { ...mark, stage: 'written' };
        this.durable = 0;
        return;
      case 'finish':
        this.settled = mark.to;
        this.mark = null;
    }
  }

  #stamp(): string {
    this.#stamps += 1;
    return `stamp ${this.#stamps}`;
  }
}

const kinds = fc.constantFrom<DataKind>('aof', 'rdb', 'none');
const event = fc.constantFrom('step', 'step', 'step', 'write', 'child', 'crash');

describe('a change that is cut off anywhere', () => {
  test('what is loaded has everything that was on disk, and the change comes to its end', () => {
    const old = fc.record({ aof: fc.boolean(), rdb: fc.boolean() });
    const run = fc.property(
      kinds,
      kinds,
      old,
      fc.array(event, { maxLength: 40 }),
      (from, to, files, events) => {
        fc.pre(from !== to);
        const server = new ModelServer(from, files);
        server.begin(to);
        for (const each of events) {
          if (each === 'write') server.write();
          else if (each === 'child') server.endChild();
          else if (each === 'step') server.step();
          else {
            const { durable } = server;
            server.crash();
            expect(server.data).toBeGreaterThanOrEqual(durable);
          }
        }
        for (let left = 20; server.mark !== null; left -= 1) {
          expect(left).toBeGreaterThan(0);
          server.step();
        }
        const { durable } = server;
        if (to === 'none') return;
        server.crash();
        expect(server.data).toBeGreaterThanOrEqual(durable);
        expect(server.settled).toBe(to);
      },
    );
    fc.assert(run, { numRuns: 2000 });
  });

  test('an AOF from before the change is never taken for the new one', () => {
    const server = new ModelServer('rdb', { aof: true, rdb: true });
    server.begin('aof');
    server.step();
    server.endChild();
    expect(server.step()).toBe('start-aof');
    server.crash();
    expect(server.data).toBe(100);
  });
});

test.each<[Parameters<typeof kindOfSettings>[0], DataKind]>([
  [{ appendonly: true, save: '' }, 'aof'],
  [{ appendonly: true, save: '60 1' }, 'aof'],
  [{ appendonly: false, save: '60 1' }, 'rdb'],
  [{ appendonly: false, save: '' }, 'none'],
])('%j keeps up to date: %s', (settings, kind) => expect(kindOfSettings(settings)).toBe(kind));

test.each([
  [10, 10, 10, true],
  [10, 10, 9, false],
  [10, 10, 0, false],
  [0, 0, 0, true],
  [10, 12, 11, true],
  [10, 12, 0, false],
  [0, 12, 0, true],
])('between %i and %i keys, a file with %i: %s', (before, after, inFile, agree) => {
  expect(countsAgree(before, after, inFile)).toBe(agree);
});

test('every change is described, and no change is nothing', () => {
  const all: DataKind[] = ['aof', 'rdb', 'none'];
  for (const from of all)
    for (const to of all) expect(describeChange(from, to).length > 0, `${from} to ${to}`).toBe(from !== to);
});

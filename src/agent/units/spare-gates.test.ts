import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { keepSpareGates } from './spare-gates.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const command = { program: 'node', args: [], cwd: '/', logFile: '/log' };

function gate() {
  const process = { pid: 1, prepare: vi.fn(), forgetPrepared: vi.fn() };
  const seen = { state: 'open' };
  return { unit: { lives: true, process }, adapter: { seen, command: () => command } };
}

const keep = (gates: unknown[]) =>
  keepSpareGates({ gates } as unknown as Parameters<typeof keepSpareGates>[0]);

test('a gate that is open for a while has a spare; another host’s has none', () => {
  const one = gate();
  const stop = keep([one, { ...gate(), unit: null }]);
  vi.advanceTimersByTime(5000);
  expect(one.unit.process.prepare).not.toHaveBeenCalled();
  vi.advanceTimersByTime(5000);
  expect(one.unit.process.prepare).toHaveBeenCalledWith(command);
  stop();
  expect(one.unit.process.forgetPrepared).toHaveBeenCalled();
  vi.advanceTimersByTime(60_000);
  expect(one.unit.process.prepare).toHaveBeenCalledOnce();
});

test('one that began anew, is not open, or does not live, waits', () => {
  const [anew, shut, dead] = [gate(), gate(), gate()];
  shut.adapter.seen.state = 'holding';
  dead.unit.lives = false;
  keep([anew, shut, dead]);
  for (let pid = 2; pid < 10; pid++) {
    vi.advanceTimersByTime(5000);
    anew.unit.process.pid = pid;
  }
  for (const { unit } of [anew, shut, dead]) expect(unit.process.prepare).not.toHaveBeenCalled();
});

import { expect, test } from 'vitest';
import { OneStop } from './one-stop.ts';

test('who asks for a stop that is under way joins it, and hears its steps from then on', async () => {
  let stops = 0;
  let gatesStopped = () => {};
  const gates = new Promise<void>((resolve) => {
    gatesStopped = resolve;
  });
  let stopMembers = () => {};
  const members = new Promise<void>((resolve) => {
    stopMembers = resolve;
  });
  const stop = new OneStop(async (report) => {
    stops++;
    report('gate-1 stopped');
    gatesStopped();
    await members;
    report('redis-1 stopped');
  });
  const signal: string[] = [];
  const down: string[] = [];
  const first = stop.join((line) => signal.push(line));
  await gates;
  const second = stop.join((line) => down.push(line));
  stopMembers();
  await Promise.all([first, second]);
  expect(stops).toBe(1);
  expect(signal).toEqual(['gate-1 stopped', 'redis-1 stopped']);
  expect(down).toEqual(['redis-1 stopped']);
});

test('a stop that failed has failed for everyone who joined it, and can be asked for again', async () => {
  let stops = 0;
  const stop = new OneStop(async () => {
    stops++;
    await null;
    if (stops === 1) throw new Error('redis-1 would not stop');
  });
  const both = await Promise.allSettled([stop.join(() => {}), stop.join(() => {})]);
  expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  await stop.join(() => {});
  expect(stops).toBe(2);
});

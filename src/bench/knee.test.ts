import { expect, test } from 'vitest';
import { findKnee, type KneeStep } from './knee.ts';

const step = (users: number, more: Partial<KneeStep> = {}): KneeStep => ({
  users,
  rps: users * 5,
  offeredRps: users * 5,
  errorShare: 0,
  p99Ms: 3,
  utilization: 0.3,
  lagP99Ms: 1,
  ...more,
});

test('as long as all are served well there is no knee', () => {
  expect(findKnee([step(1000), step(2000), step(3000)])).toEqual({
    lastGoodUsers: 3000,
    users: null,
    reason: 'no knee up to here',
    generator: false,
  });
});

test('fewer answers than the users would ask for', () => {
  const knee = findKnee([step(1000), step(2000), step(3000, { rps: 12_000 })]);
  expect(knee).toMatchObject({ lastGoodUsers: 2000, users: 3000, generator: false });
  expect(knee.reason).toBe('80% of what the users would ask for was answered');
});

test('errors count before anything else', () => {
  const knee = findKnee([step(1000), step(2000, { errorShare: 0.013, rps: 1 })]);
  expect(knee.reason).toBe('1.3% of the requests failed');
});

test('latency: slow, and much slower than with few users', () => {
  expect(findKnee([step(1000), step(2000, { p99Ms: 40 })]).users).toBe(2000);
  expect(findKnee([step(1000, { p99Ms: 9 }), step(2000, { p99Ms: 40 })]).users).toBeNull();
  expect(findKnee([step(1000, { p99Ms: 0.5 }), step(2000, { p99Ms: 9 })]).users).toBeNull();
});

test('latency is compared with the best step before, not with a first one that was disturbed', () => {
  expect(findKnee([step(1000, { p99Ms: 77 }), step(2000), step(3000, { p99Ms: 40 })]).users).toBe(3000);
});

test('a generator that sends late is no witness', () => {
  const knee = findKnee([step(1000), step(2000, { p99Ms: 100, lagP99Ms: 70 })]);
  expect(knee.generator).toBe(true);
  expect(knee.reason).toContain('requests were sent 70 ms late');
});

test('a generator at its limit is said to be that', () => {
  const knee = findKnee([step(1000), step(2000, { rps: 5000, utilization: 0.97 })]);
  expect(knee.generator).toBe(true);
  expect(knee.reason).toContain('the load generator was 97% busy');
});

test('the first step may be past the knee already', () => {
  expect(findKnee([step(1000, { rps: 100 })])).toMatchObject({ lastGoodUsers: null, users: 1000 });
});

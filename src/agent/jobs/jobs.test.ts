import { expect, test } from 'vitest';
import { defineError } from '../../base/errors.ts';
import { Jobs, type Work } from './jobs.ts';

const clock = { wallMs: () => 1_700_000_000_000, monotonicMs: () => 0 };
const ask = { kind: 'switchover', request: { to: 'redis-2' }, by: 'alice', cancellable: true };
const Failed = defineError('FAILED', 1);

function begin(work: Work) {
  const jobs = new Jobs(clock, 'a');
  return { jobs, ...jobs.begin(ask, work) };
}

test('a job tells its steps, how far it is, and what came of it', async () => {
  const { jobs, job, done } = begin(async (say) => {
    say('first');
    say('copied 40 %');
    return { to: 'redis-2' };
  });
  const heard: string[] = [];
  jobs.listen(({ state }) => heard.push(state));
  expect(job).toMatchObject({ kind: 'switchover', by: 'alice', state: 'running', endedAt: null });
  expect(await done).toEqual({ to: 'redis-2' });
  const ended = jobs.get(job.id);
  expect(ended).toMatchObject({ state: 'done', result: { to: 'redis-2' }, progress: 1, cancellable: false });
  expect(ended.steps.map(({ text }) => text)).toEqual(['first', 'copied 40 %']);
  expect(heard.at(-1)).toBe('done');
  expect(() => jobs.cancel(job.id, new Error('no'))).toThrow('has ended');
});

test('a job that fails says why, and one that is given up is cancelled', async () => {
  const failed = begin(async () => {
    throw Failed('it can’t', { hint: 'do this' });
  });
  await expect(failed.done).rejects.toThrow('it can’t');
  expect(failed.jobs.list()[0]).toMatchObject({
    state: 'failed',
    error: { code: 'FAILED', message: 'it can’t', hint: 'do this' },
  });
  const given = begin(
    (_say, signal) =>
      new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
  );
  given.jobs.cancel(given.job.id, new Error('alice gave it up'));
  await expect(given.done).rejects.toThrow('alice');
  expect(given.jobs.get(given.job.id).state).toBe('cancelled');
});

test('the oldest are forgotten, never one that runs', async () => {
  const { jobs, job } = begin(() => new Promise(() => {}));
  for (let i = 0; i < 150; i++) await jobs.begin(ask, async () => i).done;
  expect(jobs.list()).toHaveLength(100);
  expect(jobs.get(job.id).state).toBe('running');
  expect(jobs.list()[0]?.result).toBe(149);
  expect(() => jobs.get('nothing')).toThrow('no job nothing');
});

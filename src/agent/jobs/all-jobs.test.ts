import { expect, test } from 'vitest';
import type { Said } from '../picture/understood.ts';
import { AllJobs } from './all-jobs.ts';
import { Jobs } from './jobs.ts';

const clockAt = (ms: number) => ({ wallMs: () => ms, monotonicMs: () => ms });
const never = () => new Promise<never>(() => {});
const request = (kind: string) => ({ kind, request: { kind }, by: 'ada', cancellable: true });

/** What the agent of b answers of its own jobs, over JSON; that of c is gone. */
function fleet() {
  const ofA = new Jobs(clockAt(2000), 'a');
  const ofB = new Jobs(clockAt(3000), 'b');
  const atB = new AllJobs(ofB, async () => new Map());
  const json = async (work: Promise<unknown>): Promise<Said> =>
    work.then(
      (answer) => ({ answer: JSON.parse(JSON.stringify(answer)) }),
      () => ({ missing: 'it answered with status 404' }),
    );
  const ask = async (path: string) => {
    const id = /^\/api\/jobs\/(\w+)\?only=here$/.exec(path)?.[1];
    const said = await json(id === undefined ? atB.list(true) : atB.get(id, true));
    return new Map<string, Said>([
      ['b', said],
      ['c', { missing: 'no agent listens there' }],
    ]);
  };
  return { ofA, ofB, atA: new AllJobs(ofA, ask) };
}

test('the jobs of all hosts are listed, newest first, each with its host; whose answer is missing is said', async () => {
  const { ofA, ofB, atA } = fleet();
  ofA.begin(request('doctor'), never);
  const { job } = ofB.begin(request('switchover'), async (say) => {
    say('standing for election');
    return never();
  });
  const { jobs, missing } = await atA.list(false);
  expect(jobs.map(({ host, kind }) => [host, kind])).toEqual([
    ['b', 'switchover'],
    ['a', 'doctor'],
  ]);
  expect(jobs[0]?.steps.map(({ text }) => text)).toEqual(['standing for election']);
  expect(missing).toEqual([{ host: 'c', why: 'no agent listens there' }]);
  expect(await atA.get(job.id, false)).toMatchObject({ host: 'b', by: 'ada', state: 'running' });
  expect((await atA.list(true)).jobs.map(({ host }) => host)).toEqual(['a']);
});

test('one of another host can be followed to its end, and not given up here', async () => {
  const { ofB, atA } = fleet();
  let end = () => {};
  const { job, done } = ofB.begin(request('backup'), () => new Promise<void>((resolve) => (end = resolve)));
  const seen: string[] = [];
  const over = new Promise<void>((resolve) => {
    void atA.follow(job.id, ({ state }) => {
      seen.push(state);
      if (state === 'running') end();
      else resolve();
    });
  });
  await Promise.all([over, done]);
  expect(seen).toEqual(['running', 'done']);
  await expect(atA.cancel(job.id, new Error('no'))).rejects.toMatchObject({ code: 'JOB_ELSEWHERE' });
  await expect(atA.get('0123456789abcdef', false)).rejects.toMatchObject({ code: 'API_NOT_FOUND' });
  await expect(atA.get('../secrets', false)).rejects.toMatchObject({ code: 'API_NOT_FOUND' });
});

test('an agent is believed about its own jobs only', async () => {
  const { ofB, atA } = fleet();
  ofB.begin({ ...request('doctor'), by: 'eve' }, never);
  const forged = new AllJobs(new Jobs(clockAt(1), 'a'), async () => {
    const { jobs } = await new AllJobs(ofB, async () => new Map()).list(true);
    return new Map([['b', { answer: { jobs: jobs.map((job) => ({ ...job, host: 'a' })), missing: [] } }]]);
  });
  expect((await forged.list(false)).jobs.map(({ host }) => host)).toEqual(['b']);
  const odd = new AllJobs(new Jobs(clockAt(1), 'a'), async () => new Map([['b', { answer: [] }]]));
  expect((await odd.list(false)).missing).toMatchObject([{ host: 'b' }]);
  expect((await atA.list(false)).jobs).toHaveLength(1);
});

/**
 * Every operation that the API has, carried out by a real agent as a job: planned first, with its steps, how far it is and
 * what came of it. The tests go on with what the one before left: a healthy deployment with a store of backups.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ApiError } from '../../src/api/errors.ts';
import type { ApiEvent } from '../../src/api/events.ts';
import type { ApiBackups, ApiDoctor, ApiDrills } from '../../src/api/findings.ts';
import { type ApiJob, type ApiJobs, type ApiOperation, type ApiPlan, jobSchema } from '../../src/api/jobs.ts';
import type { ApiView } from '../../src/api/view.ts';
import { waitFor } from '../../src/base/retry.ts';
import { ApiClient } from '../support/api-client.ts';
import { backupMs, TestDeployment } from '../support/deployment.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'hf-jobs-'));
let deployment: TestDeployment;
let api: ApiClient;
let token: string;

beforeAll(async () => {
  const to = pathToFileURL(path.join(folder, 'backups')).href;
  deployment = await TestDeployment.up({ backup: { to, schedule: '0 0 29 2 *', verify: 'never' } });
  await deployment.waitUntilHealthy();
  // The agent takes one by itself once there is something, and two at once are refused.
  await deployment.client().set('first', 'key');
  await deployment.waitForFirstBackup();
  api = new ApiClient(deployment.ports.api);
  token = readFileSync(path.join(deployment.stateDir, 'api-operate-token'), 'utf8').trim();
});
afterAll(async () => {
  await deployment?.destroy();
  rmSync(folder, { recursive: true, force: true });
});

const plan = async (operation: ApiOperation) =>
  (await api.post<ApiPlan>('/api/operations/plan', operation, { token })).body;
const view = async () => (await api.get<ApiView>('/api/view')).body;

async function begin(operation: ApiOperation): Promise<ApiJob> {
  const { status, body, headers } = await api.post<ApiJob>('/api/operations', operation, { token });
  expect([status, body.state], JSON.stringify(body)).toEqual([202, 'running']);
  expect(headers.get('location')).toBe(`/api/jobs/${body.id}`);
  return body;
}

/** Approves what is allowed, and follows the job's stream to its end. */
async function carryOut(operation: ApiOperation): Promise<{ job: ApiJob; seen: ApiJob[] }> {
  const { allowed, why, will } = await plan(operation);
  expect([allowed, why]).toEqual([true, null]);
  expect(will.length).toBeGreaterThan(0);
  const { id } = await begin(operation);
  const stream = api.stream(`/api/jobs/${id}/stream`);
  const { data } = await stream.waitFor(
    `the end of ${operation.kind}`,
    ({ data: each }) => (each as ApiJob).state !== 'running',
    60_000,
  );
  const job = data as ApiJob;
  expect(job.error, JSON.stringify(job.steps)).toBeNull();
  expect(job).toMatchObject({ id, kind: operation.kind, request: operation, by: 'operate', state: 'done' });
  expect(jobSchema.strict().safeParse(job).error).toBeUndefined();
  expect(job).toMatchObject({ progress: 1, cancellable: false });
  expect((await api.get<ApiJob>(`/api/jobs/${id}`)).body).toEqual(job);
  return { job, seen: stream.messages.map(({ data: each }) => each as ApiJob) };
}

const eventsOf = async (kind: string) => {
  const { body } = await api.get<ApiEvent[]>('/api/events?after=0');
  return body.filter((each) => each.kind === kind).map(({ text }) => text);
};

const stepsOf = ({ steps }: ApiJob) => steps.map(({ text }) => text).join('\n');

test('pause and resume', async () => {
  await carryOut({ kind: 'pause' });
  expect((await view()).paused).toBe(true);
  expect(await plan({ kind: 'pause' })).toMatchObject({
    allowed: false,
    why: 'automatic actions are paused already',
  });
  await carryOut({ kind: 'resume' });
  expect((await view()).paused).toBe(false);
});

test('a switchover says who was and who is primary', async () => {
  const { primary: from } = await view();
  const to = from === 'redis-2' ? 'redis-3' : 'redis-2';
  const { job } = await carryOut({ kind: 'switchover', to });
  expect(job.result).toMatchObject({ from, to });
  expect(job.steps.length).toBeGreaterThan(0);
  await deployment.waitUntilHealthy();
  expect((await view()).primary).toBe(to);
});

test('a failover that is forced, to the member that was named', async () => {
  const { primary: from, members } = await view();
  const to = members.findLast(({ id }) => id !== from)?.id as string;
  const { job } = await carryOut({ kind: 'failover', to });
  expect(job.result).toEqual({ from, to });
  expect(await eventsOf('asked')).toContain(`operate asked for: a failover to ${to}`);
  expect((await deployment.waitUntilHealthy()).primary).toBe(to);
  expect(await plan({ kind: 'failover', to })).toMatchObject({
    allowed: false,
    why: `${to} is the primary already`,
  });
});

test('a restart of one process, and of all members one after the other', async () => {
  const { members, primary } = await view();
  const replica = members.find(({ id }) => id !== primary);
  await carryOut({ kind: 'restart', process: replica?.id as string });
  await deployment.waitUntilHealthy();
  const after = (await view()).members;
  expect(after.find(({ id }) => id === replica?.id)?.pid).not.toBe(replica?.pid);
  const { job, seen } = await carryOut({ kind: 'restart' });
  expect(seen.some(({ state, steps }) => state === 'running' && steps.length > 0)).toBe(true);
  for (const { id } of members) expect(stepsOf(job)).toContain(id);
  await deployment.waitUntilHealthy();
  const pids = new Set(after.map(({ pid }) => pid));
  expect((await view()).members.filter(({ pid }) => pids.has(pid))).toEqual([]);
});

test('a backup is taken, listed, verified, and restored, over what is there only when that is said', async () => {
  const client = deployment.client();
  await client.set('kept', 'safe');
  const { job } = await carryOut({ kind: 'backup' });
  const { id } = job.result as { id: string };
  expect(stepsOf(job)).not.toBe('');
  const { body } = await api.get<ApiBackups>('/api/backups');
  expect(body.backups[0]?.id).toBe(id);
  await deployment.waitForStatus('the backup', ({ backup }) => backup?.lastGoodId === id, backupMs);
  expect(await eventsOf('backup')).toContainEqual(
    expect.stringMatching(new RegExp(`^took ${id}: \\d+ keys`)),
  );
  const verified = await carryOut({ kind: 'verify', backup: id });
  expect(stepsOf(verified.job)).not.toBe('');
  await deployment.waitForStatus('the verdict', ({ backup }) => backup?.lastVerifiedGood === true, backupMs);
  await client.set('kept', 'changed');
  const restore: ApiOperation = { kind: 'restore', backup: id };
  await waitFor(async () => ((await plan(restore)).allowed ? undefined : true), {
    what: 'the keys to be seen',
    withinMs: 60_000,
  });
  const refused = await api.post<{ error: ApiError }>('/api/operations', restore, { token });
  expect([refused.status, refused.body.error.code]).toEqual([409, 'OPERATION_REFUSED']);
  expect(refused.body.error.message).toMatch(/keys, which would be replaced/);
  const { job: restored } = await carryOut({ ...restore, replace: true });
  expect(stepsOf(restored)).not.toBe('');
  expect(restored.result).toMatchObject({ restored: id });
  const { body: jobs } = await api.get<ApiJobs>('/api/jobs');
  expect(jobs.jobs.filter(({ kind }) => kind === 'restore')).toMatchObject([{ by: 'operate' }]);
  const asked = (await eventsOf('asked')).filter((text) => text.includes('a restore of'));
  expect(asked).toEqual([`operate asked for: a restore of ${id}`]);
  expect(await client.get('kept')).toBe('safe');
  await deployment.waitUntilHealthy();
});

test('doctor looks anew, and its findings are shown from then on', async () => {
  const { body: before } = await api.get<ApiDoctor>('/api/doctor');
  const { job } = await carryOut({ kind: 'doctor' });
  expect(job.result).toMatchObject({ results: expect.any(Array) });
  const { body: after } = await api.get<ApiDoctor>('/api/doctor');
  expect(Date.parse(after.at)).toBeGreaterThan(Date.parse(before.at));
  expect(after.findings.length).toBeGreaterThan(10);
});

test('a drill leaves its page; one that is given up leaves nothing that runs', async () => {
  const { id } = await begin({ kind: 'drill', scenario: 'primary-crash' });
  const busy = await api.post<{ error: ApiError }>(
    '/api/operations',
    { kind: 'drill', scenario: 'switchover' },
    { token },
  );
  expect([busy.status, busy.body.error.code]).toEqual([409, 'OPERATION_UNDER_WAY']);
  const stream = api.stream(`/api/jobs/${id}/stream`);
  await stream.waitFor('a step', ({ data }) => (data as ApiJob).steps.length > 0, 20_000);
  const given = await api.post<ApiJob>(`/api/jobs/${id}/cancel`, {}, { token });
  expect(given.status).toBe(200);
  const { data } = await stream.waitFor(
    'its end',
    ({ data: each }) => (each as ApiJob).state !== 'running',
    60_000,
  );
  expect(data).toMatchObject({ state: 'cancelled', error: { message: 'operate gave it up' } });
  const again = await api.post<{ error: ApiError }>(`/api/jobs/${id}/cancel`, {}, { token });
  expect([again.status, again.body.error.code]).toEqual([409, 'JOB_OVER']);
  const { job } = await carryOut({ kind: 'drill', scenario: 'sentinel-crash' });
  expect(job.result).toMatchObject({ scenario: 'sentinel-crash' });
  const { body: drills } = await api.get<ApiDrills>('/api/drills');
  expect(drills.runs.map(({ scenario, kept }) => [scenario, kept !== null])).toEqual([
    ['sentinel-crash', true],
    ['primary-crash', false],
  ]);
  const page = await fetch(`http://127.0.0.1:${deployment.ports.api}${drills.runs[0]?.page}`);
  expect([page.status, page.headers.get('content-security-policy')]).toEqual([
    200,
    expect.stringContaining('sandbox'),
  ]);
  expect(await page.text()).toContain('sentinel-crash');
});

test('a planned change that is given up ends in order', async () => {
  const { id } = await begin({ kind: 'restart' });
  const { status } = await api.post<ApiJob>(`/api/jobs/${id}/cancel`, {}, { token });
  expect(status).toBe(200);
  const job = await waitFor(
    async () => {
      const { body } = await api.get<ApiJob>(`/api/jobs/${id}`);
      return body.state === 'running' ? undefined : body;
    },
    { what: 'its end', withinMs: 60_000, everyMs: 50 },
  );
  expect(job).toMatchObject({ state: 'cancelled', error: { code: 'OPERATION_ABORTED' } });
  const { members } = await deployment.waitUntilHealthy();
  expect(members.every(({ state }) => state === 'up')).toBe(true);
});

test('what was asked for, by whom, is among the events', () => {
  const asked = deployment.events().filter(({ kind }) => kind === 'asked');
  const words = ['pause', 'go on', 'switchover', 'failover', 'restart', 'backup', 'verified', 'restore'];
  for (const word of [...words, 'doctor', 'drill', 'gave up']) {
    expect(
      asked.some(({ text }) => text.startsWith('operate ') && text.includes(word)),
      word,
    ).toBe(true);
  }
  expect(readdirSync(path.join(deployment.stateDir, 'drills')).some((name) => name.endsWith('.html'))).toBe(
    true,
  );
});

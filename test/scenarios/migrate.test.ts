import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Redis } from 'ioredis';
import { afterAll, afterEach, expect, test } from 'vitest';
import { waitFor } from '../../src/base/retry.ts';
import type { Progress } from '../../src/migrate/progress.ts';
import { type CliProcess, startCli } from '../support/cli-process.ts';
import { holdfast } from '../support/deployment.ts';
import { Random } from '../support/random.ts';
import { cleanUp, client, startRedis, tempFolder } from '../support/redis-processes.ts';

/** `holdfast migrate` as an operator uses it: from the first copy to the end, with processes that are killed between. */
const running: CliProcess[] = [];
afterEach(() => {
  for (const { child } of running.splice(0)) child.kill('SIGKILL');
});
afterAll(cleanUp);

function begin(...args: string[]): CliProcess {
  const made = startCli(['migrate', ...args]);
  running.push(made);
  return made;
}

async function ask(
  state: string,
  ...args: string[]
): Promise<{ status: number; said: Record<string, never> & string }> {
  const { status, stdout, stderr } = await holdfast(['migrate', ...args, '--state-dir', state, '--json']);
  try {
    return { status, said: JSON.parse(stdout) };
  } catch {
    throw new Error(`${args.join(' ')}: ${status} ${stdout} ${stderr}`);
  }
}

async function untilFollowing(state: string, process: CliProcess): Promise<void> {
  const follows = () => {
    const file = path.join(state, 'progress.json');
    if (!existsSync(file)) return false;
    const { pid, sources } = JSON.parse(readFileSync(file, 'utf8')) as Progress;
    const near = ({ phase, lagBytes }: Progress['sources'][number]) =>
      phase === 'following' && lagBytes !== null && lagBytes < 100_000;
    return pid === process.child.pid && sources.every(near);
  };
  await waitFor(follows, { what: 'every source to be followed', withinMs: 60_000 }).catch((error: Error) => {
    throw new Error(`${error.message}\n${process.said()}`);
  });
}

/** Counts up until the source refuses, or it is told to stop. */
function counting(redis: Redis, key: string): { acknowledged(): number; stop(): Promise<string[]> } {
  let acknowledged = 0;
  let stopped = false;
  const errors: string[] = [];
  const loop = (async () => {
    while (!stopped) {
      await redis.incr(key).then(
        () => acknowledged++,
        (error: Error) => {
          errors.push(error.message);
          stopped = true;
        },
      );
    }
  })();
  const stop = async () => {
    stopped = true;
    await loop;
    return errors;
  };
  return { acknowledged: () => acknowledged, stop };
}

test('copied, followed, killed and taken up again, cut over: each acknowledged write is there once', async () => {
  const [from, to] = [await startRedis(), await startRedis(['--requirepass', 'topsecret'])];
  const [source, target] = [client(from.port), client(to.port, { password: 'topsecret' })];
  const folder = tempFolder();
  const [state, password] = [path.join(folder, 'state'), path.join(folder, 'password')];
  writeFileSync(password, 'topsecret\n', { mode: 0o600 });
  await source.call('DEBUG', 'POPULATE', 20_000, 'key', 50);
  await source.set('expires', 'v', 'EX', 1000);
  // A connection of its own: one whose write waits in a pause answers nothing else.
  const writes = counting(client(from.port), 'count');
  const where = ['--state-dir', state];
  let process = begin(
    ...[`redis://127.0.0.1:${from.port}`, '--to', `redis://127.0.0.1:${to.port}`],
    ...['--target-password-file', password, ...where],
  );
  const random = new Random(3);
  await waitFor(() => existsSync(path.join(state, 'plan.json')), { what: 'it to begin', withinMs: 60_000 });
  for (let kill = 0; kill < 3; kill++) {
    const until = writes.acknowledged() + random.below(3000);
    await waitFor(() => writes.acknowledged() >= until, { what: 'more writes', withinMs: 60_000 });
    process.child.kill('SIGKILL');
    await process.ended;
    process = begin('resume', ...where);
  }
  await untilFollowing(state, process);
  expect((await ask(state, 'status')).said).toMatchObject({ running: true, phase: 'running' });
  const { status, said } = await ask(state, 'cutover');
  expect({ status, said }).toMatchObject({ status: 0, said: { heldMs: expect.any(Number) } });
  expect(await target.get('count')).toBe(await source.get('count'));
  // The old side follows from here on: each side has a position of its own.
  expect(await target.dbsize()).toBe(await source.dbsize());
  expect(await target.pexpiretime('expires')).toBe(await source.pexpiretime('expires'));
  // The positions of the streams are no difference.
  const servers = [`redis://127.0.0.1:${from.port}`, `redis://127.0.0.1:${to.port}`];
  const verified = await holdfast(['migrate', 'verify', ...servers, '--target-password-file', password]);
  expect(verified).toMatchObject({ status: 0 });
  expect((await ask(state, 'finish')).status).toBe(0);
  expect(await process.ended).toBe(0);
  expect(await writes.stop()).toEqual([expect.stringContaining('NOPERM')]);
  expect(await target.get('count')).toBe(String(writes.acknowledged()));
  expect(await target.keys('holdfast:*')).toEqual([]);
  expect(existsSync(path.join(state, 'plan.json'))).toBe(false);
});

test('two sources into one; a broken copy leaves what others have, and a key that is there ends it', async () => {
  const [first, second, to] = [await startRedis(), await startRedis(), await startRedis()];
  const [one, two, target] = [client(first.port), client(second.port), client(to.port)];
  await one.call('DEBUG', 'POPULATE', 20_000, 'one', 50);
  await two.call('DEBUG', 'POPULATE', 20_000, 'two', 50);
  await target.set('theirs', 'stays');
  const state = path.join(tempFolder(), 'state');
  const urls = [`redis://127.0.0.1:${first.port}`, `redis://127.0.0.1:${second.port}`];
  const args = [...urls, '--to', `redis://127.0.0.1:${to.port}`, '--db', '2:0=5', '--state-dir', state];
  let process = begin(...args, '--max-rate', '500kb');
  await waitFor(async () => (await target.dbsize()) > 1000, { what: 'some to be copied', withinMs: 60_000 });
  process.child.kill('SIGKILL');
  await process.ended;
  await one.del('one:0', 'one:1');
  process = begin('resume', '--state-dir', state);
  await untilFollowing(state, process);
  await two.set('more', 'v');
  await waitFor(async () => (await target.dbsize()) === 19_999 + 2, {
    what: 'all of the first',
    withinMs: 60_000,
  });
  await target.select(5);
  await waitFor(async () => (await target.get('more')) === 'v', {
    what: 'all of the second',
    withinMs: 60_000,
  });
  expect(await target.dbsize()).toBe(20_001);
  await target.select(0);
  expect(await target.get('theirs')).toBe('stays');
  // Paused, nothing comes; then all of it.
  expect((await ask(state, 'pause')).said).toEqual({ phase: 'paused' });
  await one.set('while paused', 'v');
  expect((await ask(state, 'resume')).said).toEqual({ phase: 'running' });
  await waitFor(async () => (await target.get('while paused')) === 'v', {
    what: 'it to go on',
    withinMs: 60_000,
  });
  expect((await ask(state, 'abort')).status).toBe(0);
  expect(await process.ended).toBe(0);
  expect(await one.set('still', 'open')).toBe('OK');
  // Begun again, its keys are there already.
  const again = begin(...args);
  expect(await again.ended).toBe(1);
  expect(again.said()).toMatch(/STREAM_CONFLICT/);
  expect((await ask(state, 'abort')).status).toBe(0);
  expect(await target.get('theirs')).toBe('stays');
});

test('what can’t be migrated is refused before anything begins', async () => {
  const from = await startRedis();
  const replica = await startRedis(['--replicaof', `127.0.0.1 ${from.port}`]);
  const state = path.join(tempFolder(), 'state');
  const to = (url: string, ...args: string[]) =>
    holdfast(['migrate', ...args, '--to', url, '--state-dir', state]);
  const source = `redis://127.0.0.1:${from.port}`;
  const secret = await to(source, 'redis://:hunter2@127.0.0.1:1');
  expect(secret).toMatchObject({ status: 2, stderr: expect.stringContaining('SERVER_ADDRESS_UNCLEAR') });
  expect(secret.stderr).not.toContain('hunter2');
  expect(await to(source, source)).toMatchObject({
    status: 3,
    stderr: expect.stringContaining('are one server'),
  });
  expect(await to(`redis://127.0.0.1:${replica.port}`, source, '--preflight')).toMatchObject({
    ...{ status: 3, stderr: expect.stringContaining('is a replica') },
  });
  expect(await holdfast(['migrate', 'status', '--state-dir', state])).toMatchObject({
    ...{ status: 2, stderr: expect.stringContaining('MIGRATION_NONE') },
  });
});

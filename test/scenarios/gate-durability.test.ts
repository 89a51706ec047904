import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { waitFor } from '../../src/base/retry.ts';
import { type GateProcess, gateFor, startGate } from '../support/gate-process.ts';
import { cleanUp, client, kill9, type Server } from '../support/redis-processes.ts';
import { adminPassword, type Deployment, failOver, startDeployment } from '../support/replica-set.ts';

let deployment: Deployment;
let gate: GateProcess;
const login = { password: adminPassword };

beforeEach(async () => {
  deployment = await startDeployment({ passwords: true, settings: ['--min-replicas-to-write', '1'] });
  gate = await startGate({ ...gateFor(deployment), durability: 'replicated' });
});
afterEach(cleanUp);
afterAll(cleanUp);

/** Twenty clients that write until they are stopped, each a key after the other. */
function writing() {
  const writers = Array.from({ length: 20 }, () => client(gate.port, login));
  const acknowledged: string[] = [];
  const errors: string[] = [];
  let stop = false;
  const loops = writers.map(async (writer, index) => {
    for (let n = 0; !stop; n++) {
      const key = `k:${index}:${n}`;
      await writer.set(key, n).then(
        () => acknowledged.push(key),
        (error: Error) => errors.push(error.message),
      );
    }
  });
  const end = async () => {
    stop = true;
    await Promise.all(loops);
  };
  return { acknowledged, errors, stop: end };
}

test('a write is acknowledged only when every replica has it, and none of those is lost in a crash', async () => {
  const { acknowledged, errors, stop } = writing();
  await waitFor(() => acknowledged.length > 1000, { what: 'a load', withinMs: 60_000 });
  await kill9((deployment.members[0] as Server).process);
  await failOver(deployment);
  const before = acknowledged.length;
  await waitFor(() => acknowledged.length > before + 200, {
    what: 'writes after the crash',
    withinMs: 60_000,
  });
  await stop();
  const reader = client(gate.port, login);
  const lost: string[] = [];
  for (let index = 0; index < acknowledged.length; index += 500) {
    const keys = acknowledged.slice(index, index + 500);
    const found = await reader.mget(keys);
    lost.push(...keys.filter((_key, at) => found[at] === null));
  }
  expect(lost).toEqual([]);
  expect(errors.filter((error) => !error.startsWith('UNCERTAIN '))).toEqual([]);
});

test('a replica that stands still holds writes up until no Sentinel would promote it', async () => {
  const writer = client(gate.port, login);
  await writer.set('k', '1');
  const stopped = deployment.members[2] as Server;
  const members = deployment.members.map(({ port }) => client(port, login));
  stopped.process.kill('SIGSTOP');
  try {
    const started = performance.now();
    expect(await writer.set('k', '2')).toBe('OK');
    // The Sentinels of this deployment call a silent member down after 3 s.
    expect(performance.now() - started).toBeGreaterThan(1000);
    expect(await (members[1] as ReturnType<typeof client>).get('k')).toBe('2');
    expect(gate.log()).toContain(`writes no longer wait for 127.0.0.1:${stopped.port}`);
  } finally {
    stopped.process.kill('SIGCONT');
  }
});

describe('the primary stands still and is replaced', () => {
  async function stopped(during: (old: Server, writer: ReturnType<typeof client>) => Promise<void>) {
    const old = deployment.members[0] as Server;
    const writer = client(gate.port, login);
    await writer.set('k', '1');
    old.process.kill('SIGSTOP');
    try {
      await during(old, writer);
    } finally {
      old.process.kill('SIGCONT');
    }
  }

  async function replace(old: Server): Promise<void> {
    await failOver(deployment);
    const isReplaced = async () => (await gate.control.status()).primary?.port !== old.port;
    await waitFor(isReplaced, { what: 'the gate to have another primary', withinMs: 60_000, everyMs: 5 });
  }

  test('what it answers when it wakes is not acknowledged: nobody else has it', async () => {
    await stopped(async (old, writer) => {
      const answer = writer.incr('late').then(
        () => 'acknowledged',
        (error: Error) => error.message,
      );
      await replace(old);
      old.process.kill('SIGCONT');
      expect(await answer).toMatch(/^UNCERTAIN /);
    });
  });

  test('nobody waits for it: it is no replica yet that could be promoted', async () => {
    await stopped(async (old, writer) => {
      await replace(old);
      // A Sentinel that promotes somebody ends that one's connections once.
      const isTaken = () => writer.set('k', '2').then(() => true);
      await waitFor(isTaken, { what: 'a write to be taken', withinMs: 60_000 });
      expect(gate.log()).not.toContain(`writes no longer wait for 127.0.0.1:${old.port}`);
    });
  });
});

test('a planned change, in which the primary stops WAIT as well as writes, costs no error and loses nothing', async () => {
  const [old, next, third] = deployment.members as [Server, Server, Server];
  const { acknowledged, errors, stop } = writing();
  await waitFor(() => acknowledged.length > 500, { what: 'a load', withinMs: 60_000 });
  // As the agent of another host does it, which can't have this gate hold its writes.
  const [from, to, other] = [old, next, third].map(({ port }) => client(port, login));
  await from!.call('CLIENT', 'PAUSE', '5000', 'WRITE');
  const offsetOf = async (redis: typeof from) =>
    /^master_repl_offset:(\d+)/m.exec(await redis!.info('replication'))?.[1];
  await waitFor(async () => (await offsetOf(from)) === (await offsetOf(to)), {
    what: 'the next primary to have everything',
    withinMs: 60_000,
  });
  await to!.replicaof('NO', 'ONE');
  await Promise.all([from, other].map((redis) => redis!.replicaof('127.0.0.1', next.port)));
  await gate.control.switch({ address: '127.0.0.1', port: next.port });
  // What came in meanwhile was not executed: it says READONLY, and is sent again.
  await from!.call('CLIENT', 'UNPAUSE');
  const before = acknowledged.length;
  await waitFor(() => acknowledged.length > before + 200, { what: 'writes behind it', withinMs: 60_000 });
  await stop();
  expect(errors).toEqual([]);
  const found = await to!.mget(acknowledged);
  expect(acknowledged.filter((_key, at) => found[at] === null)).toEqual([]);
});

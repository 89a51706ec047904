import { afterAll, beforeAll, expect, test } from 'vitest';
import { waitFor } from '../../src/base/retry.ts';
import { type ClientUser, ioredisUser, nodeRedisUser } from '../support/client-users.ts';
import { TestDeployment } from '../support/deployment.ts';

/** ioredis and node-redis as people use them, across a planned change of primary and across a crash. */

let deployment: TestDeployment;
const users: ClientUser[] = [];

beforeAll(async () => {
  deployment = await TestDeployment.up({ gate: { durability: 'replicated', hold: '30s' } });
  await deployment.waitUntilHealthy();
  const { gate } = deployment.ports;
  users.push(await ioredisUser(gate), await nodeRedisUser(gate, 2), await nodeRedisUser(gate, 3));
});
afterAll(async () => {
  for (const user of users) user.close();
  await deployment?.destroy();
});

/** Every user takes every step again and again while `change` goes on and a little longer; what went wrong. */
async function during(change: () => Promise<void>, first: number): Promise<string[]> {
  const wrong: string[] = [];
  let rounds = 0;
  let stopped = false;
  const loops = users.map(async (user) => {
    for (let n = first; !stopped; n++) {
      for (const [name, step] of Object.entries(user.steps)) {
        await step(n).catch((error: Error) => wrong.push(`${user.name}, ${name}: ${error.message}`));
      }
      rounds++;
      // A library that refuses at once must not keep everything else from its turn.
      await new Promise((resolve) => setImmediate(resolve));
    }
  });
  const more = (count: number) => {
    const wanted = rounds + count;
    return waitFor(() => rounds >= wanted, { what: `${count} rounds of every user`, withinMs: 60_000 });
  };
  try {
    await more(10);
    await change();
    await more(10);
  } finally {
    stopped = true;
    await Promise.all(loops);
  }
  return wrong;
}

test('a switchover is seen by no step of any user', async () => {
  const change = async () => {
    const result = await deployment.run('switchover');
    expect(result.status, result.stderr).toBe(0);
  };
  expect(await during(change, 1)).toEqual([]);
});

test('in a crash, what was in flight may be uncertain, and nothing else goes wrong', async () => {
  await deployment.waitUntilHealthy();
  const heard = new Map<string, Set<string>>();
  const popped: Promise<string>[] = [];
  for (const user of users) {
    const texts = new Set<string>();
    heard.set(user.name, texts);
    await user.subscribe('news', (text) => texts.add(text));
    popped.push(user.blockOn(`later:${user.name}`));
  }
  const old = await deployment.primary();
  const change = async () => {
    process.kill(old.pid as number, 'SIGKILL');
    await deployment.waitForStatus('a new primary', ({ primary }) => primary !== null && primary !== old.id);
  };
  const wrong = await during(change, 100_000);
  // An element may be popped by the server that dies, and its answer lost with it.
  const allowed = /: (UNCERTAIN|EXECABORT|wanted .*, found (null|undefined))|blocking pop: |consumer group: /;
  expect(wrong.filter((text) => !allowed.test(text))).toEqual([]);
  expect(wrong.length).toBeLessThanOrEqual(users.length * 4);
  await Promise.all(users.map((user) => user.push(`later:${user.name}`, 'here')));
  expect(await Promise.all(popped)).toEqual(users.map(() => 'here'));
  const everyoneHears = async () => {
    for (const user of users) await user.publish('news', `from ${user.name}`);
    return users.every((user) => heard.get(user.name)?.size === users.length);
  };
  await waitFor(everyoneHears, { what: 'messages after the crash', withinMs: 60_000 });
});

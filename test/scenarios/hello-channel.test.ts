import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { waitFor } from '../../src/base/retry.ts';
import { TestDeployment } from '../support/deployment.ts';
import { gateFor, startGate } from '../support/gate-process.ts';
import { RawClient } from '../support/raw-client.ts';
import { cleanUp, client, type Server, startRedis } from '../support/redis-processes.ts';
import { startDeployment } from '../support/replica-set.ts';

/**
 * `__sentinel__:hello` is where Sentinels learn of a new primary: who may publish there can have them follow any
 * server. Applications may not, neither through the gate nor at a member; and where somebody could all the same,
 * neither gate nor agent follows a server that is no member.
 */
const channel = '__sentinel__:hello';

let deployment: TestDeployment;
const passwordVariable = 'HOLDFAST_TEST_HELLO_PASSWORD';
beforeAll(async () => {
  // The next file of this worker has it too, and no use for it.
  process.env[passwordVariable] = 'a-long-enough-word-for-a-test';
  deployment = await TestDeployment.up({
    security: { users: { app: { password: { env: passwordVariable }, acl: '~* &* +@all -@dangerous' } } },
  });
  await deployment.waitUntilHealthy();
});
afterAll(async () => {
  await cleanUp();
  await deployment?.destroy();
});

const as = { username: 'app', password: 'a-long-enough-word-for-a-test' };
test('an application user may publish, and subscribe to anything, but not tell the Sentinels anything', async () => {
  const { members } = await deployment.status();
  const doors = [deployment.ports.gate, deployment.ports.replica, ...members.map(({ port }) => port)];
  for (const port of doors) {
    const raw = await RawClient.open(port);
    const ask = async (line: string) => (await raw.ask(line)).trimEnd();
    expect(await ask(`AUTH ${as.username} ${as.password}`)).toBe('+OK');
    for (const command of ['PUBLISH', 'pUbLiSh', 'SPUBLISH']) {
      expect(await ask(`${command} ${channel} x`), `${port} ${command}`).toMatch(/^-NOPERM /);
    }
    if (port !== deployment.ports.replica) {
      const script = `"return redis.call('PUBLISH', ARGV[1], 'x')"`;
      expect(await ask(`EVAL ${script} 0 ${channel}`)).toMatch(/NOPERM|can't publish|no permission/i);
      expect(await ask('MULTI')).toBe('+OK');
      expect(await ask(`PUBLISH ${channel} x`)).toMatch(/^-NOPERM /);
      expect(await ask('PUBLISH news x')).toBe('+QUEUED');
      expect(await ask('EXEC')).toMatch(/^-EXECABORT /);
    }
    expect(await ask('PING')).toBe('+PONG');
    raw.close();
  }
});

test('what it publishes elsewhere arrives, by channel, by pattern and by shard', async () => {
  const [listener, speaker] = [client(deployment.ports.gate, as), client(deployment.ports.gate, as)];
  const heard: string[] = [];
  for (const event of ['message', 'pmessage', 'smessage'])
    listener.on(event, (...words: string[]) => heard.push(words.join(' ')));
  await listener.subscribe('news', '__x');
  await listener.psubscribe('*');
  await listener.ssubscribe('shard');
  expect(await speaker.publish('news', '1')).toBe(2);
  expect(await speaker.publish('__x', '2')).toBe(2);
  expect(await speaker.spublish('shard', '3')).toBe(1);
  await waitFor(() => heard.filter((each) => !each.includes(channel)).length === 5, {
    what: 'what was published',
    withinMs: 60_000,
  });
});

test('a server that only a hello names is followed by neither gate nor agent, and both say so', async () => {
  const members = await startDeployment();
  const stranger = await startRedis();
  const gate = await startGate(gateFor(members));
  const primary = members.members[0] as Server;
  const colleague = client((members.sentinels[0] as Server).port);
  const runId = String(await colleague.call('SENTINEL', 'MYID'));
  // With `&*` and no rule against it, as on a server that holdfast did not configure, past the gate.
  const direct = client(primary.port);
  const hello = `127.0.0.1,${members.sentinels[0]?.port},${runId},99,orders,127.0.0.1,${stranger.port},99`;
  expect(await direct.publish(channel, hello)).toBe(3);
  const named = async () => {
    const address = await client((members.sentinels[1] as Server).port).call(
      'SENTINEL',
      'GET-MASTER-ADDR-BY-NAME',
      'orders',
    );
    return (address as string[])[1] === `${stranger.port}`;
  };
  await waitFor(named, { what: 'the Sentinels to name the stranger', withinMs: 60_000 });
  await waitFor(() => gate.log().includes(`${stranger.port}, which is no member`), {
    what: 'the gate to say that it does not follow it',
    withinMs: 60_000,
  });
  expect((await gate.control.status()).primary?.port).toBe(primary.port);
  // Sentinels ask INFO; a gate that looks at a candidate asks ROLE.
  const calls = await client(stranger.port).info('commandstats');
  expect(calls).not.toMatch(/cmdstat_(role|command|auth|hello)/);
  await expect(gate.control.switch({ address: '127.0.0.1', port: stranger.port })).rejects.toThrow(
    'no member',
  );
});

test('the agent has an event for it', async () => {
  const stranger = await startRedis();
  const { sentinels } = await deployment.status();
  const [first, second] = sentinels;
  // Straight to one Sentinel, in a colleague's name: whoever has the Sentinels' password may do that.
  const conf = readFileSync(
    path.join(deployment.stateDir, 'sentinels', `${second?.id}`, 'sentinel.conf'),
    'utf8',
  );
  const password = /^requirepass "?([^"\n]+)"?$/m.exec(conf)?.[1] as string;
  const id = String(await client(first?.port as number, { password }).call('SENTINEL', 'MYID'));
  const hello = `127.0.0.1,${first?.port},${id},99,test,127.0.0.1,${stranger.port},99`;
  const speaker = client(second?.port as number, { password });
  // Again and again: who connects anew in that moment, as on a busy machine, hears nothing of what was said meanwhile.
  const told = async () => {
    await speaker.publish(channel, hello);
    return deployment.events().find(({ kind }) => kind === 'stranger');
  };
  const event = await waitFor(told, { what: 'the event', withinMs: 60_000, everyMs: 1000 });
  expect(event.text).toContain(`:${stranger.port}`);
});

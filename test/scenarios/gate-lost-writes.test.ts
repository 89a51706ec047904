import { once } from 'node:events';
import { afterAll, expect, test } from 'vitest';
import { type GateProcess, startGate } from '../support/gate-process.ts';
import { RawClient } from '../support/raw-client.ts';
import { cleanUp, client, startRedis } from '../support/redis-processes.ts';
import { wayWithoutAnswer } from '../support/way-without-answer.ts';

/** What its server executed, and whose answer was lost, is not executed again: whatever the gate knows of the command. */

afterAll(cleanUp);

const uncertain = /^-UNCERTAIN the connection to the primary was lost before it answered/;

async function expectOnce(gate: GateProcess, way: { seen: string[] }, line: string): Promise<void> {
  const word = (/once-\d/.exec(line) as RegExpExecArray)[0];
  const asking = await RawClient.open(gate.port);
  const answer = await asking.ask(line);
  // What was to be sent again would come before this.
  expect(await asking.ask('ECHO behind')).toBe('$6\r\nbehind\r\n');
  asking.close();
  expect({ line, answer, seen: way.seen.filter((each) => each === word) }).toEqual({
    line,
    answer: expect.stringMatching(uncertain),
    seen: [word],
  });
}

test('a write is executed once: known, unknown, before the table of commands is there, and about access', async () => {
  const server = await startRedis(['--rename-command', 'APPEND', 'ADDTO']);
  const direct = client(server.port);
  await direct.call('ACL', 'SETUSER', 'gate', 'on', '>secret', '~*', '&*', '+@all', '-command');
  const way = await wayWithoutAnswer(server, ['once-1', 'once-2', 'once-3', 'once-4']);
  const gate = await startGate({
    members: [{ id: 'redis-1', address: '127.0.0.1', port: way.port }],
    memberCredentials: { username: 'gate', password: 'secret' },
    holdMs: 10_000,
  });
  expect((await gate.control.status()).commandsKnown).toBe(false);
  await expectOnce(gate, way, 'LPUSH list once-1');
  await expectOnce(gate, way, 'ADDTO text once-2');
  await expectOnce(gate, way, 'ACL SETUSER bob on >pw +@all -debug ~once-3');
  await expectOnce(gate, way, 'GEOADD places 1 1 once-4');
  expect(await direct.lrange('list', 0, -1)).toEqual(['once-1']);
  expect(await direct.get('text')).toBe('once-2');
});

test('SHUTDOWN ends one server, and not the next one', async () => {
  const server = await startRedis();
  const way = await wayWithoutAnswer(server, ['SHUTDOWN']);
  const gate = await startGate({
    members: [{ id: 'redis-1', address: '127.0.0.1', port: way.port }],
    holdMs: 20_000,
  });
  const asking = await RawClient.open(gate.port);
  const ended = once(server.process, 'exit');
  const answer = asking.ask('SHUTDOWN NOSAVE NOW FORCE');
  await ended;
  await startRedis([], server);
  expect(await answer).toMatch(uncertain);
  expect(await asking.ask('PING')).toBe('+PONG\r\n');
  expect(way.seen).toEqual(['SHUTDOWN']);
  asking.close();
});

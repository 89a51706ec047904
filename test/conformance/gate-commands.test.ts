import { afterAll, beforeAll, expect, test } from 'vitest';
import { wellKnown } from '../../src/gate/commands/well-known.ts';
import { type GateProcess, startGate } from '../support/gate-process.ts';
import { RawClient } from '../support/raw-client.ts';
import { cleanUp, client, type Server, startRedis } from '../support/redis-processes.ts';
import { differs, leftOut } from './gate-left-out.ts';
import { samples } from './gate-samples.ts';

let direct: Server;
let gate: GateProcess;

beforeAll(async () => {
  direct = await startRedis();
  const behind = await startRedis();
  gate = await startGate({ members: [{ id: 'redis-1', address: '127.0.0.1', port: behind.port }] });
});
afterAll(cleanUp);

/** What differs from one server to the next, and has to. */
function comparable(line: string, reply: string): string {
  // In the order of the server's hash table, which is a matter of chance.
  if (/^(ACL CAT|COMMAND LIST|FUNCTION LIST|SINTER |SUNION |SDIFF |SMEMBERS|SSCAN|HSCAN|ZSCAN)/.test(line))
    return reply.split('\r\n').toSorted().join('\r\n');
  return reply
    .replace(/(\$2\r\nid\r\n:)\d+/, '$1N')
    .replace(/(\$(5|15|16)\r\n(seen-time|idle|inactive|lru|radix-tree-keys)\r\n:)\d+/g, '$1N');
}

for (const protocol of [2, 3]) {
  test(`every command answers through the gate as it does directly, in RESP${protocol}`, async () => {
    const plain = await RawClient.open(direct.port);
    const gated = await RawClient.open(gate.port);
    for (const each of [plain, gated]) await each.ask(`HELLO ${protocol}`);
    const different: string[] = [];
    for (const line of samples) {
      if (line in differs) {
        expect(await gated.ask(line)).toMatch(/^-ERR .* is not possible through a gate\r\n$/);
        continue;
      }
      const [wanted, got] = [await plain.ask(line), await gated.ask(line)];
      if (comparable(line, got) !== comparable(line, wanted)) {
        different.push(
          `${line}: directly ${JSON.stringify(wanted)}, through the gate ${JSON.stringify(got)}`,
        );
      }
      if (line === 'RESET') for (const each of [plain, gated]) await each.ask(`HELLO ${protocol}`);
    }
    expect(different).toEqual([]);
    for (const each of [plain, gated]) each.close();
  });
}

test('the samples leave out no command of the server, nor a subcommand, without a reason', async () => {
  const table = (await client(direct.port).call('COMMAND', 'LIST')) as string[];
  const names = samples.map((line) => line.toLowerCase().split(' '));
  const sampled = new Set(names.flatMap(([first, second]) => [first, `${first}|${second}`]));
  expect(table.filter((name) => !sampled.has(name) && !(name in leftOut)).toSorted()).toEqual([]);
  const known = new Set(table);
  expect(Object.keys(leftOut).filter((name) => !known.has(name))).toEqual([]);
});

test('one pipeline of all plain samples answers in order, however it is cut', async () => {
  const plain = await RawClient.open(direct.port);
  const gated = await RawClient.open(gate.port);
  const lines = samples.filter(
    (line) =>
      !(line in differs) && !/^(SYNC|PSYNC|MONITOR|SHUTDOWN|RESET|CLIENT|HELLO|FLUSHALL|B|X)/.test(line),
  );
  const answers = async (each: RawClient) => {
    await each.ask('FLUSHALL');
    for (const line of lines) each.send(line);
    const all: string[] = [];
    for (const line of lines) all.push(`${line}: ${comparable(line, await each.reply(line))}`);
    return all;
  };
  const [wanted, got] = [await answers(plain), await answers(gated)];
  expect(got).toEqual(wanted);
  for (const each of [plain, gated]) each.close();
});

test("what is known of commands before the server's table is there is what that table says", async () => {
  const table = (await client(direct.port).call('COMMAND')) as [string, number, string[]][];
  const flags = new Map(table.map(([name, , list]) => [name, list]));
  const isSo = (name: string, flag: string) =>
    flag === ''
      ? !flags.get(name)?.some((each) => each === 'readonly' || each === 'write')
      : flags.get(name)?.includes(flag);
  const wrong = wellKnown.filter(([name, flag]) => !isSo(name, flag)).map(([name]) => name);
  expect(wrong).toEqual([]);
});

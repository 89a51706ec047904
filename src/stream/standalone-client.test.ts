import { expect, test } from 'vitest';
import { heldBackKey, leadKey, newRun } from './lead-position.ts';
import { encodePosition } from './position.ts';
import { StandaloneClient } from './standalone-client.ts';

const lead = { address: '10.0.0.1', port: 6379 };
const other = { address: '10.0.0.2', port: 6379 };
const killed = 'CLIENT KILL TYPE normal SKIPME yes';

/** A member in memory. @param says what it has under our own keys */
function memberThat(says: (string | null)[], priority = '100') {
  const told: string[] = [];
  const answer = (request: readonly unknown[]) => {
    const text = request.map(String).join(' ');
    if (text === 'INFO') return 'role:master\r\nrun_id:me\r\n';
    if (request[0] === 'MGET') return says;
    if (text.startsWith('CONFIG GET')) return ['replica-priority', priority];
    told.push(text.replace(/ \{.*/, ''));
    return 'OK';
  };
  const client = new StandaloneClient({ endpoint: { host: '127.0.0.1', port: 1 } }, { tellsGates: true });
  Object.assign(client.connection, {
    call: async (...request: unknown[]) => answer(request),
    askAll: async (requests: unknown[][]) => requests.map(answer),
    askEach: (requests: unknown[][]) => requests.map(async (each) => answer(each)),
  });
  return { client, told };
}

test('who is told to follow another takes nothing more from whoever was connected, in the transaction that says so', async () => {
  const { client, told } = memberThat([null, null, 'me']);
  await client.replicaOf(lead);
  expect(told).toEqual(['MULTI', `SET ${leadKey}`, killed, 'EXEC']);
});

const run = newRun(lead, 'me');
const position = encodePosition({ phase: 'streaming', run, replId: 'b'.repeat(40), offset: 1, db: 0 });

test('one that follows that one already goes on, with its clients', async () => {
  const { client, told } = memberThat([position, null, null]);
  await client.replicaOf(lead);
  expect(told).toEqual([]);
  await client.replicaOf(other);
  expect(told).toHaveLength(4);
});

test('what waited in the pause of one that was replaced is ended before the pause is, and nothing comes in between', async () => {
  const { client, told } = memberThat([null, null, 'me']);
  await client.unpauseReplaced(lead);
  expect(told).toEqual([killed, 'CLIENT UNPAUSE', 'MULTI', `SET ${leadKey}`, killed, 'EXEC']);
});

test.each([
  [
    'began with a priority of 0, or lost the key by a FLUSHALL',
    [position, null, null],
    '0',
    [`SET ${heldBackKey}`],
  ],
  ['may be promoted by now', [position, '1', null], '100', [`DEL ${heldBackKey}`]],
  ['says what is so', [position, '1', null], '0', []],
  ['leads', [null, null, 'me'], '0', []],
])('a follower that %s: gates learn of it when the agent looks', async (_what, says, priority, expected) => {
  const { client, told } = memberThat(says, priority);
  await client.info();
  expect(told.map((each) => each.replace(/ 1$/, ''))).toEqual(expected);
});

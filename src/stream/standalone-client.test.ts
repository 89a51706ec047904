import { expect, test } from 'vitest';
import { inSyncKey, leadKey, leadsKey, newRun } from './lead-position.ts';
import { encodePosition } from './position.ts';
import { StandaloneClient } from './standalone-client.ts';

const lead = { address: '10.0.0.1', port: 6379 };
const other = { address: '10.0.0.2', port: 6379 };
const killed = 'CLIENT KILL TYPE normal SKIPME yes';

/** A member in memory. @param says what it has under our own keys */
function memberThat(says: (string | null)[]) {
  const told: string[] = [];
  const answer = (request: readonly unknown[]) => {
    const text = request.map(String).join(' ');
    if (text === 'INFO') return 'role:master\r\nrun_id:me\r\n';
    if (request[0] === 'MGET') return says;
    if (text.startsWith('CONFIG GET')) return ['replica-priority', '100'];
    told.push(text.replace(/ \{.*/, ''));
    return 'OK';
  };
  const client = new StandaloneClient({ endpoint: { host: '127.0.0.1', port: 1 } });
  Object.assign(client.connection, {
    call: async (...request: unknown[]) => answer(request),
    askAll: async (requests: unknown[][]) => requests.map(answer),
    askEach: (requests: unknown[][]) => requests.map(async (each) => answer(each)),
  });
  return { client, told };
}

test('who is told to follow another takes nothing more from whoever was connected, in the transaction that says so', async () => {
  const { client, told } = memberThat([null, 'me', null]);
  await client.replicaOf(lead);
  expect(told).toEqual(['MULTI', `SET ${leadKey}`, `DEL ${inSyncKey}`, killed, 'EXEC']);
});

const run = newRun(lead, 'me');
const position = encodePosition({ phase: 'streaming', run, replId: 'b'.repeat(40), offset: 1, db: 0 });

test('one that follows that one already goes on, with its clients', async () => {
  const { client, told } = memberThat([position, null, null]);
  await client.replicaOf(lead);
  expect(told).toEqual([]);
  await client.replicaOf(other);
  expect(told).toHaveLength(5);
});

test('what waited in the pause of one that was replaced is ended before the pause is, and nothing comes in between', async () => {
  const { client, told } = memberThat([null, 'me', null]);
  await client.unpauseReplaced(lead);
  expect(told).toEqual([
    killed,
    'CLIENT UNPAUSE',
    'MULTI',
    `SET ${leadKey}`,
    `DEL ${inSyncKey}`,
    killed,
    'EXEC',
  ]);
});

test('who is made the lead says so, and who is in sync with it, in the transaction that tells the Sentinels', async () => {
  const { client, told } = memberThat([position, null, null]);
  await client.promote(['hello'], 'record').catch(() => {});
  expect(told).toContain(`SET ${inSyncKey} record`);
  expect(told.indexOf(`SET ${inSyncKey} record`)).toBeLessThan(told.indexOf('EXEC'));
  expect(told.some((each) => each.startsWith(`SET ${leadsKey}`))).toBe(true);
  await client.promote([]).catch(() => {});
  expect(told.filter((each) => each.includes(inSyncKey))).toHaveLength(1);
});

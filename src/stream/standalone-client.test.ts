import { expect, test } from 'vitest';
import { replicationInfo } from '../redis/info.ts';
import {
  fencedAt,
  inSyncKey,
  leadKey,
  leadsKey,
  newRun,
  ownKeys,
  readPosition,
  readRun,
} from './lead-position.ts';
import { encodePosition } from './position.ts';
import { StandaloneClient } from './standalone-client.ts';

const lead = { address: '10.0.0.1', port: 6379 };
const other = { address: '10.0.0.2', port: 6379 };
const watched = `WATCH ${ownKeys.join(' ')}`;
const hungUp = 'CLIENT KILL USER streams';
const killed = 'CLIENT KILL TYPE normal SKIPME yes';

/** A member in memory. @param says what it has under our own keys */
function memberThat(says: (string | null)[], isMoved = () => false, info = 'role:master\r\n') {
  const told: string[] = [];
  const sets: string[] = [];
  const answer = (request: readonly unknown[]) => {
    const text = request.map(String).join(' ');
    if (text === 'INFO') return `${info}run_id:me\r\n`;
    if (request[0] === 'MGET') return says;
    if (text.startsWith('CONFIG GET')) return ['replica-priority', '100'];
    told.push(text.replace(/ \{.*/, ''));
    if (request[0] === 'SET') sets.push(String(request[2]));
    return request[0] === 'EXEC' ? (isMoved() ? null : []) : 'OK';
  };
  const client = new StandaloneClient({ endpoint: { host: '127.0.0.1', port: 1 } }, 'streams');
  Object.assign(client.connection, {
    call: async (...request: unknown[]) => answer(request),
    askAll: async (requests: unknown[][]) => requests.map(answer),
    askEach: (requests: unknown[][]) => requests.map(async (each) => answer(each)),
  });
  return { client, told, sets };
}

test('who is told to follow another takes nothing more from whoever was connected, in the transaction that says so', async () => {
  const { client, told } = memberThat([null, 'me', null]);
  await client.replicaOf(lead);
  expect(told).toEqual([hungUp, watched, 'MULTI', `SET ${leadKey}`, `DEL ${inSyncKey}`, killed, 'EXEC']);
});

const run = newRun(lead, 'me', 3);
const position = encodePosition({ phase: 'streaming', run, replId: 'b'.repeat(40), offset: 1, db: 0 });

test('one that follows that one already goes on, with its clients', async () => {
  const { client, told } = memberThat([position, null, null]);
  await client.replicaOf(lead);
  expect(told).toEqual([]);
  await client.replicaOf(other);
  expect(told).toHaveLength(7);
});

test('one that somebody made a replica by hand is not taken for one that follows, or leads, by what it got from there', async () => {
  const { client } = memberThat(
    [null, 'other 7', '{}'],
    undefined,
    'role:slave\r\nmaster_link_status:up\r\n',
  );
  const { role, linkUp, priority, primaryAddress } = replicationInfo(await client.info());
  expect([role, linkUp, priority, primaryAddress]).toEqual(['replica', false, 0, '?']);
});

test('what waited in the pause of one that was replaced is ended before the pause is, and nothing comes in between', async () => {
  const { client, told } = memberThat([null, 'me', null]);
  await client.unpauseReplaced(lead);
  expect(told).toEqual([
    hungUp,
    watched,
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
  await client.promote(['hello'], { inSync: 'record' });
  expect(told).toContain(`SET ${inSyncKey} record`);
  expect(told.indexOf(`SET ${inSyncKey} record`)).toBeLessThan(told.indexOf('EXEC'));
  expect(told.some((each) => each.startsWith(`SET ${leadsKey}`))).toBe(true);
  await client.promote([]);
  expect(told.filter((each) => each.includes(inSyncKey))).toHaveLength(1);
});

test('a word of an earlier epoch than the last is refused, whatever it says, and one of a later is kept', async () => {
  const { client, told, sets } = memberThat([position, null]);
  const late = [client.replicaOf(other, 2), client.fence(2), client.promote([], { epoch: 2 })];
  for (const each of [...late, client.unpauseReplaced(other, 2)])
    await expect(each).rejects.toMatchObject({ code: 'MEMBER_TOLD_LATER' });
  expect(told).not.toContain('MULTI');
  await client.replicaOf(other, 4);
  expect(readRun(readPosition(sets[0] ?? '')?.run ?? '')).toMatchObject({ of: other, epoch: 4 });
  const leads = memberThat([null, 'me 7']);
  await leads.client.replicaOf(null, 0);
  expect(leads.sets).toEqual(['- 7']);
  await expect(client.replicaOf(null, 2)).rejects.toMatchObject({ code: 'MEMBER_TOLD_LATER' });
  await expect(leads.client.replicaOf(other, 6)).rejects.toThrow('was told in epoch 7 who leads');
  await expect(leads.client.fence(8)).rejects.toThrow('follows nobody');
});

test('one that is fenced stays where it is, and goes on from there when it is to follow the same one', async () => {
  const { client, sets, told } = memberThat([fencedAt(position, 5) ?? '', null]);
  await client.replicaOf(lead, 6);
  expect(readPosition(sets[0] ?? '')).toMatchObject({ phase: 'streaming', offset: 1 });
  expect(told).not.toContain(killed);
  const follower = memberThat([position, null]);
  await follower.client.fence(5);
  const fenced = readPosition(follower.sets[0] ?? '');
  expect(readRun(fenced?.run ?? '')).toMatchObject({ of: lead, epoch: 5, fenced: true });
  expect(fenced?.offset).toBe(1);
});

test('one whose stream came back at the same moment is told again; in the end it has not done it', async () => {
  let left = 3;
  const busy = memberThat([position, null], () => left-- > 0);
  await busy.client.fence(5);
  expect(busy.told.filter((each) => each === hungUp)).toHaveLength(4);
  const { client } = memberThat([position, null], () => true);
  await expect(client.replicaOf(other, 4)).rejects.toThrow('told otherwise at the same moment');
});

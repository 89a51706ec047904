/** `read: quorum`: servers of which one leads, and what each says of whom it follows. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { waitFor } from '../../base/retry.ts';
import { fencedAt, toFollow } from '../../stream/lead-position.ts';
import { encodeInSync, firstRecord } from '../../topology/in-sync-record.ts';
import { gateConfig, type MemberAddress } from '../config.ts';
import { QuorumReads } from './quorum-reads.ts';

/** A member, as far as it is asked: it says under its two keys what the test has it say. */
class Member {
  /** Whom it follows, null for nobody; and who is in sync, as its data have it. */
  says: [lead: string | null, inSync: string | null] = [null, null];
  silent = false;
  asked = 0;
  readonly at: MemberAddress;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(id: string, server: Server) {
    const { port } = server.address() as AddressInfo;
    this.at = { id, address: '127.0.0.1', port };
    this.#server = server;
    server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('error', () => {});
      socket.on('data', (bytes) => {
        for (const _each of bytes.toString().matchAll(/MGET/g)) this.#answer(socket);
      });
    });
  }

  static async open(id: string): Promise<Member> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new Member(id, server);
  }

  #answer(socket: Socket): void {
    this.asked += 1;
    const bulk = (text: string | null) => (text === null ? '$-1\r\n' : `$${text.length}\r\n${text}\r\n`);
    if (!this.silent) socket.write(`*2\r\n${this.says.map(bulk).join('')}`);
  }

  follows({ at }: Member): void {
    this.says[0] = toFollow(at, 4);
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }
}

const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

/** Two or three, of which the first leads and all are in sync. */
async function reads(ack: 'quorum' | 'all', count: number, holdMs = 5000) {
  const members = await Promise.all(
    Array.from({ length: count }, (_, index) => Member.open(`redis-${index + 1}`)),
  );
  const [lead] = members as [Member, ...Member[]];
  inSync(lead, members);
  for (const each of members.slice(1)) each.follows(lead);
  const gate = { primary: lead.at as MemberAddress | null };
  const log: string[] = [];
  const quorum = new QuorumReads(
    gateConfig({
      ...{ deployment: 'x', id: 'gate-1', listen: { host: '127.0.0.1', port: 1 } },
      ...{ holdMs, quorum: ack === 'quorum' },
    }),
    {
      members: { all: members.map(({ at }) => at) },
      primary: () => gate.primary,
      log: (text) => log.push(text),
    },
  );
  ends.push(() => quorum.stop(), ...members.map((each) => () => each.close()));
  const confirm = () =>
    new Promise<{ confirmed: boolean; refusal: string | undefined }>((resolve) => {
      quorum.confirm(lead.at, (confirmed, refusal) => resolve({ confirmed, refusal: refusal?.toString() }));
    });
  return { members, lead, gate, quorum, log, confirm };
}

/** As the lead has it in its data. */
function inSync(lead: Member, members: readonly Member[]): void {
  lead.says[1] = encodeInSync({ ...firstRecord(lead.at.id, 4), in: members.map(({ at }) => at.id) });
}

const shown = { confirmed: true, refusal: undefined };

test('an answer goes out when all that are in sync have said behind it that they follow the one that gave it', async () => {
  const { members, confirm, quorum } = await reads('all', 3);
  expect(await confirm()).toEqual(shown);
  expect(members.map(({ asked }) => asked)).toEqual([1, 1, 1]);
  expect(quorum.refusal).toBeNull();
});

test('with a quorum two of three are enough: one that says nothing is not waited for', async () => {
  const { members, confirm } = await reads('quorum', 3);
  // The first time nobody knows yet how many are needed.
  expect(await confirm()).toEqual(shown);
  (members[2] as Member).silent = true;
  const beganMs = performance.now();
  expect(await confirm()).toEqual(shown);
  expect(performance.now() - beganMs).toBeLessThan(900);
});

const notFollowing: [what: string, spoil: (member: Member, other: Member) => void][] = [
  ['follows another one', (member, other) => member.follows(other)],
  ['leads itself', (member) => member.says.splice(0, 1, null)],
  ['is fenced', (member) => member.says.splice(0, 1, fencedAt(member.says[0] as string, 5) as string)],
  ['says something else', (member) => member.says.splice(0, 1, 'nonsense')],
];

test.each(notFollowing)('a member that %s does not count, and nothing is read', async (_what, spoil) => {
  const { members, confirm, quorum } = await reads('quorum', 3, 100);
  const [, second, third] = members as [Member, Member, Member];
  spoil(second, third);
  expect(await confirm()).toEqual(shown);
  spoil(third, second);
  const { confirmed, refusal } = await confirm();
  expect(confirmed).toBe(false);
  expect(refusal).toBe(
    '-NOQUORUM redis-1 answered, and of those in sync only redis-1 says that it leads: nothing is read\r\n',
  );
  expect(quorum.refusal).toMatch(/^NOQUORUM redis-1 answered/);
});

test('with ack: all one that follows another is one too few', async () => {
  const { members, confirm } = await reads('all', 3, 100);
  const [, second, third] = members as [Member, Member, Member];
  third.follows(second);
  expect((await confirm()).refusal).toMatch(/only redis-1, redis-2 say that it leads/);
});

test('what was refused is read again once it can be confirmed', async () => {
  const { members, lead, confirm, quorum, log } = await reads('all', 2, 50);
  const [, second] = members as [Member, Member];
  second.says[0] = null;
  expect((await confirm()).confirmed).toBe(false);
  expect(log).toEqual([expect.stringMatching(/^reads are refused: NOQUORUM/)]);
  second.follows(lead);
  await waitFor(() => quorum.refusal === null, { what: 'reads to be confirmed', withinMs: 10_000 });
  expect(log.at(-1)).toBe('reads are confirmed again');
  expect(await confirm()).toEqual(shown);
});

test('who was left out need not say anything: the lead says who is in sync, behind the answer', async () => {
  const { members, lead, confirm } = await reads('all', 2);
  (members[1] as Member).says[0] = null;
  inSync(lead, [lead]);
  expect(await confirm()).toEqual(shown);
});

test('a lead that does not say who is in sync confirms nothing', async () => {
  const { lead, confirm } = await reads('all', 2, 50);
  lead.says[1] = null;
  expect((await confirm()).refusal).toMatch(/nobody says who is in sync with it/);
});

test('another one leads by now: that one is asked instead, and nothing is refused', async () => {
  const { members, gate, lead, confirm, quorum } = await reads('all', 2);
  const [, second] = members as [Member, Member];
  lead.follows(second);
  second.says = [null, encodeInSync(firstRecord('redis-2', 5))];
  const asked = confirm();
  await waitFor(() => lead.asked > 1, { what: 'it to be asked again', withinMs: 10_000 });
  gate.primary = second.at;
  expect(await asked).toEqual({ confirmed: false, refusal: undefined });
  expect(quorum.refusal).toBeNull();
});

test('what comes while one is confirmed is confirmed together, by a round of its own', async () => {
  const { lead, confirm } = await reads('all', 2);
  const all = await Promise.all(Array.from({ length: 50 }, confirm));
  expect(all).toEqual(all.map(() => shown));
  expect(lead.asked).toBe(2);
});

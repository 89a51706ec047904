/** Every right of every user that holdfast makes for itself: what Redis lets it run, asked one command at a time. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freePorts } from '../../src/process/free-ports.ts';
import { MemberClient } from '../../src/redis/member-client.ts';
import { parseSpec } from '../../src/spec/parse.ts';
import { deriveSecrets, type OwnUser, ownUserName, type Secrets } from '../../src/spec/secrets.ts';
import type { Member } from '../../src/spec/spec.ts';
import { RenderedServers } from '../support/rendered-servers.ts';

let servers: RenderedServers;
let secrets: Secrets;
let port: number;
let allowed: (user: string) => Promise<string[]>;

beforeAll(async () => {
  const first = await freePorts(9);
  const spec = parseSpec(
    `name: t\nredis: { port: ${first} }\nsentinel: { port: ${first + 3} }\ngate: { port: ${first + 6} }\n` +
      `agent: { port: ${first + 8} }\n`,
    'test.yaml',
  );
  servers = new RenderedServers(spec, deriveSecrets(spec, 'a secret', {}));
  const [member] = spec.members as [Member];
  servers.startMember(member, null);
  secrets = deriveSecrets(spec, 'a secret', {});
  port = member.port;
  const admin = await servers.connect(port);
  const commands = commandsOf((await admin.call('COMMAND')) as CommandReply[]);
  allowed = async (user) => {
    const pipeline = admin.pipeline();
    for (const { words } of commands) pipeline.call('ACL', 'DRYRUN', user, ...words);
    const replies = (await pipeline.exec()) ?? [];
    return commands.flatMap(({ name }, index) => {
      const [error, reply] = replies[index] ?? [];
      return error === null && !/permissions to run the/.test(String(reply)) ? [name] : [];
    });
  };
});
afterAll(() => servers?.stop());

type CommandReply = [name: string, arity: number, ...unknown[]];

/** Commands and subcommands with as many words as each needs; every key is one that holdfast may use. */
function commandsOf(replies: readonly CommandReply[]): { name: string; words: string[] }[] {
  return replies
    .flatMap((reply) => {
      const below = reply[9] as CommandReply[];
      return below.length > 0 ? below : [reply];
    })
    .map(([name, arity]) => {
      const words = name.split('|');
      while (words.length < Math.abs(arity)) words.push('holdfast:x');
      return { name, words };
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Redis lets everyone run these. */
const everyone = 'auth hello quit reset';

const rights: Record<OwnUser, string> = {
  replication: 'ping psync replconf',
  sentinel:
    'client|kill client|setname config|rewrite exec failover info multi ping publish replicaof role script|kill slaveof subscribe',
  agent:
    'acl|list acl|load acl|whoami bgrewriteaof bgsave client|id client|kill client|list client|pause ' +
    'client|setname client|unpause command|count command|docs command|getkeys command|getkeysandflags command|help ' +
    'command|info command|list config|get config|rewrite config|set dbsize del exec get info lastsave latency|latest ' +
    'latency|reset memory|doctor memory|stats multi ping publish replicaof role save script|kill set shutdown slaveof slowlog|get ' +
    'slowlog|len wait',
  gate:
    'client|id client|list client|setname command|count command|docs command|getkeys command|getkeysandflags ' +
    'command|help command|info command|list info ping role wait',
  backup: 'dbsize info ping psync replconf role',
  restore: 'client|setname dump exists ping pttl restore select',
};

test.each(Object.entries(rights))('%s may run this and nothing else', async (user, expected) => {
  const own = (await allowed(ownUserName(user as OwnUser))).filter(
    (name) => !everyone.split(' ').includes(name),
  );
  expect(own.join(' ')).toBe(expected);
});

test('a member that may not be promoted says so, and tells no Sentinel that it was', async () => {
  const admin = await servers.connect(port);
  const listener = await servers.connect(port);
  const heard: string[] = [];
  listener.on('message', (_channel: string, text: string) => heard.push(text));
  await listener.subscribe('__sentinel__:hello');
  const credentials = { username: ownUserName('agent'), password: secrets.own.agent };
  const client = new MemberClient({ endpoint: { host: '127.0.0.1', port }, credentials });
  try {
    await admin.call('ACL', 'SETUSER', ownUserName('agent'), '-replicaof');
    await expect(client.promote(['first', 'second'])).rejects.toMatchObject({
      code: 'REDIS_REFUSED',
      message: expect.stringMatching(/answered REPLICAOF with: NOPERM/),
    });
    await admin.call('ACL', 'SETUSER', ownUserName('agent'), '+replicaof', '-publish');
    await expect(client.promote(['third'])).rejects.toThrow(/answered PUBLISH with: NOPERM/);
    // Rights from before it was a transaction: it is done all the same.
    await admin.call('ACL', 'SETUSER', ownUserName('agent'), '+publish', '-multi', '-exec');
    await client.promote(['fourth']);
    await admin.call('ACL', 'SETUSER', ownUserName('agent'), '+multi', '+exec');
    await client.promote(['fifth']);
    await expect.poll(() => heard).toEqual(['fourth', 'fifth']);
  } finally {
    client.close();
  }
});

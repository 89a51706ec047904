/** Every right of every user that holdfast makes for itself: what Redis lets it run, asked one command at a time. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freePorts } from '../../src/process/free-ports.ts';
import { parseSpec } from '../../src/spec/parse.ts';
import { deriveSecrets, type OwnUser, ownUserName } from '../../src/spec/secrets.ts';
import type { Member } from '../../src/spec/spec.ts';
import { RenderedServers } from '../support/rendered-servers.ts';

let servers: RenderedServers;
let allowed: (user: string) => Promise<string[]>;

beforeAll(async () => {
  const port = await freePorts(9);
  const spec = parseSpec(
    `name: t\nredis: { port: ${port} }\nsentinel: { port: ${port + 3} }\ngate: { port: ${port + 6} }\n` +
      `agent: { port: ${port + 8} }\n`,
    'test.yaml',
  );
  servers = new RenderedServers(spec, deriveSecrets(spec, 'a secret', {}));
  const [member] = spec.members as [Member];
  servers.startMember(member, null);
  const admin = await servers.connect(member.port);
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
    'command|info command|list config|get config|rewrite config|set dbsize del get info lastsave latency|latest ' +
    'latency|reset memory|doctor memory|stats ping publish replicaof role save script|kill set shutdown slaveof slowlog|get ' +
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

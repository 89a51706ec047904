import { expect, test } from 'vitest';
import { RedisRefused, RedisUnreachable } from '../redis/errors.ts';
import type { Request } from '../redis/link.ts';
import { ReplyError } from '../resp/read.ts';
import { askRights, granted, rightLackedBy } from './rights.ts';

/** A server that answers these; everything else is fine with it, and queued in a transaction. */
function serverWith(answers: Record<string, string>) {
  const executed: string[] = [];
  let isQueueing = false;
  const call = (request: Request): Promise<unknown> => {
    const question = request.join(' ');
    const [, text] = Object.entries(answers).find(([begin]) => question.startsWith(begin)) ?? [];
    if (text?.startsWith('-'))
      return Promise.reject(RedisRefused(text, { cause: new ReplyError(text.slice(1)) }));
    if (question === 'MULTI') isQueueing = true;
    else if (question === 'DISCARD') isQueueing = false;
    else if (isQueueing) return Promise.resolve('QUEUED');
    else executed.push(question);
    return Promise.resolve(text ?? 'OK');
  };
  return { executed, server: { call, callEach: (requests: readonly Request[]) => requests.map(call) } };
}

const probes = [
  { command: 'DUMP', args: ['k'] },
  { command: 'CLIENT PAUSE', args: ['0', 'WRITE'] },
];
const noRun = (name: string) => `NOPERM this user has no permissions to run the '${name}' command`;

test('rights are looked at in a transaction, and nothing is executed', async () => {
  const { server, executed } = serverWith({
    ...{
      'ACL WHOAMI': '-NOPERM no',
      DUMP: `-${noRun('dump')}`,
      'CLIENT PAUSE': "-ERR unknown command 'CLIENT'",
    },
  });
  expect(await askRights(server, probes, 'app')).toEqual({
    user: 'app',
    lacking: [
      { command: 'DUMP', says: noRun('dump'), rule: '+dump', lacks: 'command' },
      { command: 'CLIENT PAUSE', says: "ERR unknown command 'CLIENT'", rule: null, lacks: 'command' },
    ],
    unknown: null,
  });
  expect(executed).toEqual([]);
});

test('keys and channels are rights of their own, and what is asked wrongly is not', async () => {
  const { server } = serverWith({
    DUMP: '-NOPERM this user has no permissions to access one of the keys used as arguments',
    PSUBSCRIBE: "-NOPERM User key has no permissions to access the '__key*' channel",
    'CLIENT PAUSE': '-ERR wrong number of arguments',
    WATCH: '-ERR WATCH inside MULTI is not allowed',
    'ACL DRYRUN': 'OK',
  });
  const listening = { command: 'PSUBSCRIBE', args: ['__key*'] };
  const { lacking } = await askRights(server, [...probes, { command: 'WATCH' }, listening]);
  expect(lacking.map(({ rule, lacks }) => [lacks, rule])).toEqual([
    ['key', '~*'],
    ['channel', '&__key*'],
  ]);
  expect(granted('app', lacking)).toBe('. ACL SETUSER app ~* &__key* there grants it');
});

test('without a transaction DRYRUN is asked, and where neither is to be had that is said', async () => {
  const dry = serverWith({
    ...{
      MULTI: '-NOPERM no',
      'ACL WHOAMI': 'app',
      'ACL DRYRUN app DUMP': 'User app has no permissions to run the',
    },
  });
  expect((await askRights(dry.server, probes)).lacking).toMatchObject([{ command: 'DUMP', rule: '+dump' }]);
  const managed = serverWith({
    MULTI: '-ERR unknown command',
    ACL: "-ERR unknown command 'ACL'",
    PTTL: '-NOPERM no',
  });
  const reading = ['TYPE', 'PTTL'].map((command) => ({ command, args: ['k'], reads: true }));
  expect(await askRights(managed.server, [...probes, ...reading])).toMatchObject({
    lacking: [{ command: 'PTTL' }],
    unknown: expect.stringMatching(/^whether the user may DUMP, CLIENT PAUSE: .*ERR unknown command 'ACL'/),
  });
  expect(managed.executed).toEqual(['TYPE k']);
  const without = serverWith({ MULTI: `-${noRun('multi')}`, ACL: '-NOPERM no' });
  expect((await askRights(without.server, [{ command: 'MULTI' }])).lacking).toMatchObject([
    { rule: '+multi' },
  ]);
  expect(dry.executed.filter((each) => /^(DUMP|CLIENT)/.test(each))).toEqual([]);
});

test('of an error, which right is lacking', () => {
  const refused = RedisRefused('refused', { cause: new ReplyError(noRun('client|pause')) });
  expect(rightLackedBy(new Error('it could not be done', { cause: refused }))).toMatchObject({
    rule: '+client|pause',
  });
  expect(rightLackedBy(RedisUnreachable('gone'))).toBeUndefined();
  expect(rightLackedBy(RedisRefused('x', { cause: new ReplyError('OOM no memory') }))).toBeUndefined();
});

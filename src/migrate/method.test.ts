import { expect, test } from 'vitest';
import { RedisRefused } from '../redis/errors.ts';
import { ReplyError } from '../resp/read.ts';
import { chooseMethod, replicationRefusal } from './method.ts';

/** A server that answers these; everything else is fine with it. */
function answering(answers: Record<string, string>) {
  const asked: string[] = [];
  const call = (...words: string[]): Promise<unknown> => {
    const question = words.join(' ');
    asked.push(question);
    const answer = Object.entries(answers).find(
      ([begin]) => question === begin || question.startsWith(`${begin} `),
    );
    const text = answer?.[1] ?? 'OK';
    if (!text.startsWith('-')) return Promise.resolve(text);
    return Promise.reject(RedisRefused(text, { cause: new ReplyError(text.slice(1)) }));
  };
  return { call, asked };
}

const arity = "-ERR wrong number of arguments for 'psync' command";

test('a server that does not know PSYNC, or a user who may not', async () => {
  expect(await replicationRefusal(answering({ PSYNC: "-ERR unknown command 'PSYNC'" }).call)).toMatch(
    /unknown command/,
  );
  expect(await replicationRefusal(answering({ PSYNC: '-NOPERM no' }).call)).toMatch(/NOPERM/);
  expect(await replicationRefusal(answering({ PSYNC: arity, REPLCONF: '-NOPERM no' }).call)).toMatch(
    /REPLCONF/,
  );
  const dry = answering({ PSYNC: arity, 'ACL DRYRUN': 'User app has no permissions to run psync' });
  expect(await replicationRefusal(dry.call)).toMatch(/no permissions/);
  // Redis 6.2 has no DRYRUN.
  const queued = { 'PSYNC ? -1': '-NOPERM no', PSYNC: arity, 'ACL DRYRUN': '-ERR Unknown subcommand' };
  expect(await replicationRefusal(answering(queued).call, 'app')).toMatch(
    /NOPERM no; ACL SETUSER OK \+psync \+replconf \+ping there lets it$/,
  );
  const managed = answering({ PSYNC: "-ERR unknown command 'PSYNC'", ACL: '-NOPERM no' });
  expect(await replicationRefusal(managed.call)).not.toContain('SETUSER');
});

test('one that lets replicas in, or does not say', async () => {
  expect(await replicationRefusal(answering({ PSYNC: arity }).call)).toBeNull();
  const silent = {
    'PSYNC ? -1': '-ERR Command not allowed inside a transaction',
    PSYNC: arity,
    ACL: '-NOPERM no',
  };
  expect(await replicationRefusal(answering(silent).call)).toBeNull();
  expect(await replicationRefusal(answering({ ...silent, 'PSYNC ? -1': 'QUEUED' }).call)).toBeNull();
});

test('PSYNC is never executed', async () => {
  const { call, asked } = answering({ PSYNC: arity, ACL: '-NOPERM no', MULTI: '-NOPERM no' });
  expect(await replicationRefusal(call)).toBeNull();
  expect(asked).not.toContain('PSYNC ? -1');
});

test('what is chosen, and why', () => {
  const one = { name: 'old', isCluster: false, refusal: null };
  expect(chooseMethod('auto', [one])).toMatchObject({ method: 'replication' });
  expect(chooseMethod('auto', [one, { ...one, name: 'other', refusal: 'it is managed' }])).toEqual({
    method: 'scan',
    because: "other can't be read as a replica reads it: it is managed",
  });
  expect(chooseMethod('auto', [{ ...one, isCluster: true }])).toMatchObject({ method: 'scan' });
  expect(chooseMethod('scan', [one])).toEqual({ method: 'scan', because: '--method says so' });
});

import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { openSnapshot, type SnapshotOptions } from './replication-stream.ts';

let server: Server | undefined;
afterEach(async () => {
  server?.close();
  server = undefined;
});

const id = 'a'.repeat(40);
const mark = 'b'.repeat(40);

/** A server that answers each command by its first word, and writes down what it was asked. */
async function play(
  answers: (command: string, socket: Socket) => string | undefined,
): Promise<{ options: SnapshotOptions; asked: string[] }> {
  const asked: string[] = [];
  const listening = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (data) => {
      const words = data
        .toString()
        .split('\r\n')
        .filter((_, index) => index > 0 && index % 2 === 0);
      asked.push(words.join(' '));
      const reply = answers(words.join(' '), socket);
      if (reply !== undefined) socket.write(reply);
    });
  });
  server = listening;
  listening.listen(0, '127.0.0.1');
  await once(listening, 'listening');
  return { options: { address: '127.0.0.1', port: (listening.address() as AddressInfo).port }, asked };
}

async function text(data: AsyncIterable<Buffer>): Promise<string> {
  let all = '';
  for await (const piece of data) all += piece.toString();
  return all;
}

const agree = (rest: string) => (command: string) =>
  command.startsWith('PSYNC') ? `+FULLRESYNC ${id} 1234\r\n${rest}` : '+OK\r\n';

test('it logs in, says what it is, and skips the signs of life while the server saves', async () => {
  const { options, asked } = await play(agree(`\n\n\n$EOF:${mark}\r\nREDIS…${mark}`));
  const credentials = { username: 'holdfast-backup', password: 'secret' };
  const snapshot = await openSnapshot({ ...options, credentials });
  expect(snapshot).toMatchObject({ replicationId: id, replicationOffset: 1234, bytes: undefined });
  expect(await text(snapshot.data)).toBe('REDIS…');
  snapshot.close();
  expect(asked).toEqual([
    'AUTH holdfast-backup secret',
    'REPLCONF listening-port 65536',
    'REPLCONF capa eof capa psync2',
    'REPLCONF version 9.0.0',
    'REPLCONF rdb-only 1',
    'PSYNC ? -1',
  ]);
});

test('a file of known length; a server that does not know rdb-only', async () => {
  const { options } = await play((command) =>
    command.includes('rdb-only')
      ? '-ERR Unrecognized REPLCONF option: rdb-only\r\n'
      : agree('\n$5\r\nREDISmore')(command),
  );
  const snapshot = await openSnapshot(options);
  expect(snapshot.bytes).toBe(5);
  expect(await text(snapshot.data)).toBe('REDIS');
  snapshot.close();
});

test.each([
  ['AUTH', '-WRONGPASS invalid username-password pair', 'holdfast-backup'],
  ['REPLCONF', '-NOPERM this user has no permissions', 'holdfast-backup'],
  ['PSYNC', "-NOMASTERLINK Can't SYNC while not connected with my master", 'lost its primary'],
  ['PSYNC', '-LOADING Redis is loading the dataset in memory', 'still loading'],
  ['PSYNC', '+CONTINUE', 'log'],
])('%s answered with %s', async (command, reply, hint) => {
  const { options } = await play((asked) => (asked.startsWith(command) ? `${reply}\r\n` : '+OK\r\n'));
  const credentials = { username: 'u', password: 'hunter2' };
  await expect(openSnapshot({ ...options, credentials })).rejects.toMatchObject({
    code: 'REPLICATION_REFUSED',
    message: expect.stringMatching(new RegExp(`answered ${command} with: ${reply.slice(1)}$`)),
    hint: expect.stringContaining(hint),
  });
});

test('a login that is refused says as whom, and whence the password was', async () => {
  const { options } = await play(() => '-WRONGPASS invalid username-password pair\r\n');
  const credentials = { username: 'u', password: 'hunter2', from: 'the file /run/old.password' };
  const refused: Error = await openSnapshot({ ...options, credentials }).then(
    () => expect.unreachable(),
    (error) => error,
  );
  expect(refused.message).toMatch(
    /WRONGPASS .*as the user u, with the password of the file \/run\/old\.password/,
  );
  expect(refused).toMatchObject({ code: 'REPLICATION_REFUSED', hint: expect.stringContaining('right one') });
  expect(`${refused.message} ${refused.stack}`).not.toContain('hunter2');
});

test('a connection that breaks in the middle, or falls silent, or is no Redis', async () => {
  const broken = await play((command, socket) => {
    if (!command.startsWith('PSYNC')) return '+OK\r\n';
    socket.end(`+FULLRESYNC ${id} 1\r\n$100\r\nREDIS`);
    return undefined;
  });
  const snapshot = await openSnapshot(broken.options);
  await expect(text(snapshot.data)).rejects.toMatchObject({
    code: 'REPLICATION_BROKEN',
    message: expect.stringContaining('closed the connection'),
  });
  server?.close();
  const silent = await play((command) => (command.startsWith('PSYNC') ? undefined : '+OK\r\n'));
  await expect(openSnapshot({ ...silent.options, silenceMs: 50 })).rejects.toThrow('sent nothing for');
  server?.close();
  const chatty = await play(() => 'HTTP '.repeat(2000));
  await expect(openSnapshot(chatty.options)).rejects.toThrow('not the replication protocol');
  const nobody = { address: '127.0.0.1', port: chatty.options.port };
  server?.close();
  await once(server as Server, 'close');
  await expect(openSnapshot(nobody)).rejects.toMatchObject({ code: 'REPLICATION_BROKEN' });
});

test('it can be cancelled while it waits', async () => {
  const aborter = new AbortController();
  const { options } = await play((command) => {
    if (!command.startsWith('PSYNC')) return '+OK\r\n';
    aborter.abort(new Error('enough'));
    return undefined;
  });
  await expect(openSnapshot({ ...options, signal: aborter.signal })).rejects.toThrow('enough');
});

import { afterAll, expect, test } from 'vitest';
import { MigrationProcess } from '../support/migration-process.ts';
import { cleanUp, client, startRedis, tempFolder } from '../support/redis-processes.ts';

/** A value that the target's protocol does not take ends the migration with its key's name, and is not tried for ever. */
afterAll(async () => {
  await MigrationProcess.killAll();
  await cleanUp();
});

test('a value that is too long for the target is named, in the copy and behind it', async () => {
  const [from, to] = [
    await startRedis(['--rdbcompression', 'no']),
    await startRedis(['--proto-max-bulk-len', '1mb']),
  ];
  const source = client(from.port);
  const begin = () =>
    MigrationProcess.begin(`${tempFolder()}/state`, [
      ...[`redis://127.0.0.1:${from.port}`, '--to', `redis://127.0.0.1:${to.port}`, '--on-conflict', 'last'],
    ]);
  await source.set('fits', 'x'.repeat(2 ** 20));
  await source.set('long:1', 'x'.repeat(2 ** 20 + 1));
  const copying = begin();
  expect(await copying.ended).toBe(1);
  expect(copying.said()).toMatch(/long:1.*proto-max-bulk-len.*STREAM_CANT_CARRY/s);
  await source.del('long:1');
  const following = begin();
  await following.untilFollowing();
  expect(await client(to.port).strlen('fits')).toBe(2 ** 20);
  await source.set('long:2', 'x'.repeat(2 ** 20 + 1));
  expect(await following.ended).toBe(1);
  expect(following.said()).toMatch(/SET writes to.*long:2.*STREAM_CANT_CARRY/s);
});

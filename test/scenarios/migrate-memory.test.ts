/** What a copy by scan, and a comparison, hold of a long value: not all of it. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, test } from 'vitest';
import { startCli } from '../support/cli-process.ts';
import { cleanUp, client, startRedis } from '../support/redis-processes.ts';
import { howMany } from '../support/whole-run.ts';

/** So many MiB; 256 is what is promised, within 150 MB. */
const mib = howMany('HOLDFAST_MIGRATE_LONG_MIB', 0, 256);
const mostMegabytes = 150;

afterAll(cleanUp);

/** @returns the exit status, and the most memory that it had, in MB */
async function watched(args: string[]): Promise<{ status: number; megabytes: number; said: string }> {
  const running = startCli(args);
  let kilobytes = 0;
  const timer = setInterval(() => {
    try {
      const status = readFileSync(`/proc/${running.child.pid}/status`, 'latin1');
      kilobytes = Math.max(kilobytes, Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0));
    } catch {
      // It has just ended.
    }
  }, 5);
  const status = await running.ended;
  clearInterval(timer);
  return { status, megabytes: (kilobytes * 1024) / 1e6, said: running.printed() + running.said() };
}

describe.skipIf(mib === 0)(`values of ${mib} MiB`, () => {
  test.each(['string', 'list', 'hash'])(
    'a %s is copied and compared within 150 MB',
    async (kind) => {
      const [from, to] = [await startRedis(), await startRedis()];
      const source = client(from.port);
      for (let n = 0; n < mib; n++) {
        const piece = randomBytes(2 ** 20);
        if (kind === 'string') await source.append('long', piece);
        if (kind === 'list') await source.rpush('long', piece.subarray(0, 2 ** 19), piece.subarray(2 ** 19));
        if (kind === 'hash') {
          const fields = Array.from({ length: 64 }, (_, at) => [
            `${n}:${at}`,
            piece.subarray(at * 2 ** 14, (at + 1) * 2 ** 14),
          ]);
          await source.hset('long', ...fields.flat());
        }
      }
      await source.mset(...Array.from({ length: 500 }, (_, n) => [`short:${n}`, n]).flat());
      const sides = [from, to].map(({ port }) => `redis://127.0.0.1:${port}`);
      const copied = await watched(['migrate', 'scan', ...sides]);
      expect(copied, copied.said).toMatchObject({ status: 0 });
      const compared = await watched(['migrate', 'verify', ...sides]);
      expect(compared, compared.said).toMatchObject({ status: 0 });
      const target = client(to.port);
      const sum = await source.call('DEBUG', 'DIGEST-VALUE', 'long');
      expect(await target.call('DEBUG', 'DIGEST-VALUE', 'long')).toEqual(sum);
      expect([copied, compared].map(({ megabytes }) => Math.round(megabytes))).toEqual([
        expect.toSatisfy((most: number) => most <= mostMegabytes),
        expect.toSatisfy((most: number) => most <= mostMegabytes),
      ]);
    },
    600_000,
  );
});

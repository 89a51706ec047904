import { afterAll, describe, expect, test } from 'vitest';
import { waitFor } from '../../src/base/retry.ts';
import { startGate } from '../support/gate-process.ts';
import { PlainSentinels } from '../support/plain-sentinels.ts';
import { cleanUp, client, type Server } from '../support/redis-processes.ts';
import { farOff, farOffWait, whyNotUsual } from '../support/whole-run.ts';

afterAll(cleanUp);

/** Sentinels without agents: a primary that stood still, and was replaced, goes on as one for some eight seconds. */
describe.skipIf(whyNotUsual !== null)('replicated, and a former primary that came back', () => {
  test(
    'what Sentinels lose by promoting it, though a replica in sync is there, is said and counted',
    async () => {
      const password = 'secret';
      const plain = await PlainSentinels.start({ password });
      const serverAt = (port: number) => plain.members.find((each) => each.port === port) as Server;
      const gate = await startGate({
        deployment: plain.name,
        sentinels: plain.sentinels.map(({ port }) => ({ address: '127.0.0.1', port })),
        memberCredentials: { username: 'default', password },
        durability: 'replicated',
        holdMs: 30_000,
      });
      const writer = client(gate.port, { password });
      await writer.set('k', 'before');

      const former = await plain.primary();
      const { process: stopped } = serverAt(former);
      stopped.kill('SIGSTOP');
      await plain.settled(former);
      const successor = await plain.primary();
      await waitFor(async () => (await writer.set('k', 'acknowledged')) === 'OK', {
        what: 'a write at the new primary',
        withinMs: farOffWait,
      });
      stopped.kill('SIGCONT');
      const direct = plain.clientOf(serverAt(former));
      // It has more than the others now, of a history of its own, and can't copy from the one that it is told to follow.
      await direct.set('own', 'x'.repeat(300_000));
      await direct.config('SET', 'masterauth', 'wrong');
      const follows = async () => (await direct.info('replication')).includes('role:slave');
      await waitFor(follows, { what: 'the former primary to be told to follow', withinMs: farOffWait });

      serverAt(successor).process.kill('SIGKILL');
      await plain.settled(successor);
      expect(await plain.primary()).toBe(former);
      const lossy = async () => {
        await writer.set('k', 'after').catch(() => {});
        return (await gate.control.status()).counters.lossySwitches === 1;
      };
      await waitFor(lossy, { what: 'the gate to tell of it', withinMs: farOffWait, everyMs: 200 });
      expect(gate.log()).toMatch(
        /acknowledged writes are lost: \S+ is primary, and lacks the last [1-9]\d* bytes that \S+ acknowledged as primary/,
      );
    },
    farOff,
  );
});

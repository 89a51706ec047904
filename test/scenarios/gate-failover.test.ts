import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { waitFor } from '../../src/base/retry.ts';
import { type GateProcess, gateFor, startGate } from '../support/gate-process.ts';
import { untilKnownToWait } from '../support/known-to-wait.ts';
import { cleanUp, client, kill9, type Server } from '../support/redis-processes.ts';
import { adminPassword, type Deployment, failOver, startDeployment } from '../support/replica-set.ts';
import { isWhole } from '../support/whole-run.ts';

afterAll(cleanUp);

/** Without passwords everything is the same. */
for (const passwords of isWhole ? [false, true] : [true]) {
  describe(passwords ? 'with passwords and ACL users' : 'without passwords', () => {
    let deployment: Deployment;
    let gate: GateProcess;
    const login = passwords ? { password: adminPassword } : {};
    const primaryOf = () => deployment.members[0] as Server;

    beforeEach(async () => {
      deployment = await startDeployment({ passwords, settings: ['--min-replicas-to-write', '1'] });
      gate = await startGate(gateFor(deployment));
    });
    afterEach(cleanUp);

    test('a crash of the primary holds the clients and drops none of them', async () => {
      const writers = Array.from({ length: 10 }, () => client(gate.port, login));
      const reader = client(gate.replicaPort, login);
      let dropped = 0;
      for (const each of [...writers, reader]) each.on('close', () => dropped++);
      const answers: string[] = [];
      let stop = false;
      const loops = writers.map(async (writer, index) => {
        for (let n = 0; !stop; n++) {
          answers.push(await writer.set(`k:${index}:${n}`, n).catch((error: Error) => error.message));
        }
      });
      await waitFor(() => answers.length > 500, { what: 'a load', withinMs: 60_000 });
      await kill9(primaryOf().process);
      const newPrimary = await failOver(deployment);
      const before = answers.length;
      await waitFor(() => answers.length > before + 500, {
        what: 'writes after the failover',
        withinMs: 60_000,
      });
      stop = true;
      await Promise.all(loops);
      expect(dropped).toBe(0);
      const errors = answers.filter((answer) => answer !== 'OK');
      expect(errors.filter((error) => !error.startsWith('UNCERTAIN '))).toEqual([]);
      // What was in flight at the crash, and again when the Sentinel kills the new primary's clients.
      expect(errors.length).toBeLessThanOrEqual(2 * writers.length);
      expect((await gate.control.status()).primary?.port).toBe(newPrimary);
      expect(await reader.get('k:0:0')).toBe('0');
    });

    test('a planned change of primary under load is seen by no client', async () => {
      const writers = Array.from({ length: 10 }, () => client(gate.port, login));
      const answers: string[] = [];
      let stop = false;
      const loops = writers.map(async (writer, index) => {
        for (let n = 0; !stop; n++) {
          answers.push(await writer.set(`k:${index}:${n}`, n).catch((error: Error) => error.message));
        }
      });
      await waitFor(() => answers.length > 500, { what: 'a load', withinMs: 60_000 });
      // Sentinel ends the connections of a new primary's clients as it promotes it, so here it is the only one who does.
      const newPrimary = await failOver(deployment, false);
      const onNew = async () => (await gate.control.status()).primary?.port === newPrimary;
      await waitFor(onNew, { what: 'the gate to switch', withinMs: 60_000 });
      const before = answers.length;
      await waitFor(() => answers.length > before + 500, { what: 'writes after it', withinMs: 60_000 });
      stop = true;
      await Promise.all(loops);
      expect(answers.filter((answer) => answer !== 'OK')).toEqual([]);
    });

    test("a script's own error that begins as a refusal is the client's, and the script is executed once", async () => {
      const asker = client(gate.port, login);
      const script = "redis.call('INCR', KEYS[1]) return redis.error_reply(ARGV[1])";
      for (const text of ['READONLY mine', 'NOREPLICAS mine', 'LOADING mine'])
        await expect(asker.eval(script, 1, 'executed', text)).rejects.toThrow(text);
      expect(await asker.get('executed')).toBe('3');
    });

    test('subscriptions, blocked clients and open transactions are carried over', async () => {
      const subscriber = client(gate.port, login);
      const messages: string[] = [];
      subscriber.on('message', (_channel, text) => messages.push(text));
      await subscriber.subscribe('news');
      const blocked = client(gate.port, login);
      const popped = blocked.blpop('queue', 0);
      const transaction = client(gate.port, login);
      await transaction.call('SELECT', '3');
      await transaction.call('MULTI');
      expect(await transaction.call('SET', 'in-multi', 'yes')).toBe('QUEUED');
      await untilKnownToWait(gate, primaryOf(), login);

      await kill9(primaryOf().process);
      // The Sentinel alone promotes: once somebody else has, it ends the connections of the new primary's clients all the
      // same a moment later, and of one that waits there since then nobody knows whether it took something.
      await failOver(deployment, false);

      expect(await transaction.call('EXEC')).toEqual(['OK']);
      const other = client(gate.port, { ...login, db: 3 });
      expect(await other.get('in-multi')).toBe('yes');
      await other.select(0);
      await other.rpush('queue', 'job');
      expect(await popped).toEqual(['queue', 'job']);
      const heard = async () => (await other.publish('news', 'hello')) > 0 && messages.length > 0;
      await waitFor(heard, { what: 'a message after the failover', withinMs: 60_000 });
      expect(new Set(messages)).toEqual(new Set(['hello']));
    });
  });
}

/** A lead that is replaced while it lives and is written to, as one that only the voters have lost: nothing that it acknowledged is missing. */
import type { Redis } from 'ioredis';
import { afterEach, expect, test } from 'vitest';
import { waitFor } from '../../src/base/retry.ts';
import { TestDeployment } from '../support/deployment.ts';
import { farOff, farOffWait, howMany, whyNotUsual } from '../support/whole-run.ts';

let deployment: TestDeployment;
afterEach(() => deployment?.destroy());

const inSync = () =>
  deployment.waitForStatus(
    'all in sync',
    ({ state, members }) =>
      state === 'healthy' && members.every(({ role, linkUp }) => role === 'primary' || linkUp),
  );

interface Written {
  acknowledged: string[];
  errors: Set<string>;
}

/** Writes one key after the other. */
async function write(redis: Redis, name: number, written: Written, isOver: () => boolean): Promise<void> {
  for (let count = 0; !isOver(); count++) {
    const key = `${name}:${count}`;
    try {
      await redis.set(key, 'x');
      written.acknowledged.push(key);
    } catch (error) {
      written.errors.add((error as Error).message.split(' ')[0] ?? '');
    }
  }
}

const failovers = howMany('HOLDFAST_MIRROR_KILLS', 1, 5);

test.skipIf(whyNotUsual !== null)(
  'ack: quorum: whoever takes over from one that lives has all that it acknowledged',
  async () => {
    deployment = await TestDeployment.create({ redis: { members: 3 } });
    deployment.writeSpec({ topology: 'mirror' });
    deployment.writeSpec({ mirror: { ack: 'quorum' } });
    await deployment.start();
    await inSync();
    const written: Written = { acknowledged: [], errors: new Set() };
    let isOver = false;
    const clients = Array.from({ length: 16 }, (_, name) =>
      write(deployment.client(), name, written, () => isOver),
    );
    try {
      for (let count = 0; count < failovers; count++) {
        // On a busy machine not everyone is fenced in time, or the answer comes too late: then it is asked for again.
        const isDone = async () => {
          const before = (await deployment.primary()).id;
          if ((await deployment.run('failover')).status !== 0) return false;
          expect((await deployment.primary()).id).not.toBe(before);
          return true;
        };
        await waitFor(isDone, { what: 'a failover', withinMs: farOffWait, everyMs: 1000 });
        await inSync();
      }
    } finally {
      isOver = true;
      await Promise.all(clients);
    }
    const { acknowledged, errors } = written;
    const redis = deployment.client((await deployment.primary()).port);
    const missing: string[] = [];
    for (let at = 0; at < acknowledged.length; at += 1000) {
      const keys = acknowledged.slice(at, at + 1000);
      const found = await redis.mget(keys);
      missing.push(...keys.filter((_key, index) => found[index] !== 'x'));
    }
    expect(acknowledged.length).toBeGreaterThan(1000);
    expect(missing).toEqual([]);
    expect([...errors].filter((word) => word !== 'UNCERTAIN')).toEqual([]);
    for (const { id, role } of (await deployment.status()).members)
      if (role === 'replica')
        expect(await deployment.run('mirror', ['diff', id])).toMatchObject({ status: 0 });
  },
  farOff,
);

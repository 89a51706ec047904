import type { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { waitFor } from '../../src/base/retry.ts';
import type { GateConfigInput } from '../../src/gate/config.ts';
import { TestDeployment } from '../support/deployment.ts';
import { startGate } from '../support/gate-process.ts';
import { cleanUp } from '../support/redis-processes.ts';
import { howMany } from '../support/whole-run.ts';
import { WriteLoad } from '../support/write-load.ts';

/**
 * The primary is killed again and again under load. Three gates lead to the same deployment, one for each promise:
 * with `inflightWrites: fail` a client sees a wait, or UNCERTAIN; with `retry-idempotent` who only SETs sees no error
 * at all; with `durability: replicated` no acknowledged write is lost.
 */

const crashes = howMany('HOLDFAST_CRASHES', 3, 30);
let deployment: TestDeployment;

beforeAll(async () => {
  deployment = await TestDeployment.up({
    gate: { durability: 'replicated', hold: '30s' },
    agent: { restarts: { limit: 1000, within: '1m' } },
  });
  await deployment.waitUntilHealthy();
});
afterAll(async () => {
  await cleanUp();
  await deployment?.destroy();
});

async function anotherGate(changes: Partial<GateConfigInput>): Promise<number> {
  const { members, sentinels } = await deployment.status();
  const gate = await startGate({
    deployment: 'test',
    members: members.map(({ id, address, port }) => ({ id, address, port })),
    sentinels: sentinels.map(({ address, port }) => ({ address, port })),
    holdMs: 30_000,
    ...changes,
  });
  return gate.port;
}

/** Clients that only SET, until told to stop; the errors that they saw. */
function setLoad(clients: Redis[]): { done: () => number; stop: () => Promise<string[]> } {
  const errors: string[] = [];
  let stopped = false;
  let acknowledged = 0;
  const loops = clients.map(async (client, index) => {
    for (let value = 0; !stopped && client.status !== 'end'; value++) {
      await client.set(`set:${index}`, value).then(
        () => acknowledged++,
        (error: Error) => errors.push(error.message),
      );
    }
  });
  const stop = async () => {
    stopped = true;
    await Promise.all(loops);
    return errors;
  };
  return { done: () => acknowledged, stop };
}

async function crash(): Promise<void> {
  const old = await deployment.primary();
  process.kill(old.pid as number, 'SIGKILL');
  await deployment.waitForStatus(
    'the old primary to be a replica of the new one',
    ({ state, primary, members }) =>
      state === 'healthy' &&
      primary !== old.id &&
      members.find(({ id }) => id === old.id)?.role === 'replica',
  );
}

test(
  `${crashes} crashes of the primary under load: what each gate promises holds`,
  async () => {
    const failing = await anotherGate({ id: 'failing', inflightWrites: 'fail' });
    const retrying = await anotherGate({ id: 'retrying', inflightWrites: 'retry-idempotent' });
    const clientsOf = (port: number, db: number) =>
      Array.from({ length: 6 }, () => deployment.client(port, { db }));
    const replicated = new WriteLoad(clientsOf(deployment.ports.gate, 0));
    const uncertain = new WriteLoad(clientsOf(failing, 1));
    const sets = setLoad(clientsOf(retrying, 2));
    for (let round = 1; round <= crashes; round++) {
      const before = [replicated.report.acknowledged, uncertain.report.acknowledged, sets.done()];
      await crash();
      const goesOn = () =>
        replicated.report.acknowledged > (before[0] as number) + 100 &&
        uncertain.report.acknowledged > (before[1] as number) + 100 &&
        sets.done() > (before[2] as number) + 100;
      await waitFor(goesOn, { what: `writes through every gate after crash ${round}`, withinMs: 60_000 });
    }
    const [replicatedReport, uncertainReport, setErrors] = await Promise.all([
      replicated.stop(),
      uncertain.stop(),
      sets.stop(),
    ]);
    expect(setErrors).toEqual([]);
    for (const report of [replicatedReport, uncertainReport]) {
      expect([...report.errors.keys()].filter((word) => word !== 'UNCERTAIN')).toEqual([]);
      expect(report.dropped).toBe(0);
    }
    expect(await replicated.lost(deployment.client())).toEqual([]);
    console.log(
      `${crashes} crashes: ${replicatedReport.acknowledged} replicated writes acknowledged and none lost, ` +
        `longest wait ${Math.round(replicatedReport.longestWaitMs)} ms; ${sets.done()} SETs without an error`,
    );
  },
  60_000 + crashes * 40_000,
);

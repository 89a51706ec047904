/** `gate.kind: haproxy`: a real HAProxy in place of the gate, told by the agent, supervised like everything else. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { waitFor } from '../../src/base/retry.ts';
import { isAlive } from '../../src/testbed/leftovers.ts';
import { TestDeployment } from '../support/deployment.ts';

describe('HAProxy as the gate', () => {
  let deployment: TestDeployment;

  beforeAll(async () => {
    deployment = await TestDeployment.up({ gate: { kind: 'haproxy', statsPort: 'none' } });
    await deployment.waitUntilHealthy();
  });
  afterAll(() => deployment?.destroy());

  /** Writes through the door as an application does that reconnects, until one was taken. */
  async function untilTaken(key: string): Promise<void> {
    const write = async () => {
      const client = deployment.client(deployment.ports.gate, { enableReadyCheck: false });
      try {
        return (await client.set(key, 'taken')) === 'OK';
      } finally {
        client.disconnect();
      }
    };
    await waitFor(write, { what: `a write of ${key} through HAProxy`, withinMs: 60_000, everyMs: 10 });
  }

  async function rolesThrough(port: number, times: number): Promise<string[]> {
    const roles: string[] = [];
    for (let i = 0; i < times; i++) {
      const client = deployment.client(port, { enableReadyCheck: false });
      const [role] = (await client.role()) as [string];
      roles.push(role);
      client.disconnect();
    }
    return [...new Set(roles)];
  }

  test('it is up: the doors lead where they should, and status shows its state and clients', async () => {
    const clients = [1, 2].map(() => deployment.client());
    for (const client of clients) expect(await client.set('k', 'v')).toBe('OK');
    const { gates } = await deployment.waitForStatus('its clients', (now) => now.gates[0]?.clients === 2);
    expect(gates[0]).toMatchObject({ id: 'gate-1', state: 'open', port: deployment.ports.gate });
    expect(await rolesThrough(deployment.ports.gate, 5)).toEqual(['master']);
    const replicasOnly = async () =>
      (await rolesThrough(deployment.ports.replica, 5)).join() === 'slave' || undefined;
    await waitFor(replicasOnly, { what: 'the read-only port to lead to replicas', withinMs: 60_000 });
    for (const client of clients) client.disconnect();
  });

  test('kill -9 of the primary: writes are taken again soon, at the new one', async () => {
    const old = await deployment.primary();
    process.kill(old.pid as number, 'SIGKILL');
    await untilTaken('after-the-crash');
    // By themselves the Sentinels would have taken 3 s to see it.
    expect(deployment.events().some(({ kind }) => kind === 'election')).toBe(true);
    const { primary } = await deployment.waitUntilHealthy();
    expect(primary).not.toBe(old.id);
    const now = (await deployment.primary()).port;
    expect(await deployment.client(now).get('after-the-crash')).toBe('taken');
  });

  test('switchover: the door leads to the new primary, connections to the old one are shut', async () => {
    const before = deployment.client();
    await before.set('before', '1');
    const shut = new Promise((resolve) => before.once('close', resolve));
    const { from, to } = await deployment.json<{ from: string; to: string }>('switchover');
    expect(to).not.toBe(from);
    await shut;
    await untilTaken('after-the-switchover');
    const { port, id } = await deployment.primary();
    expect(id).toBe(to);
    expect(await deployment.client(port).get('after-the-switchover')).toBe('taken');
    await deployment.waitUntilHealthy();
  });

  test('HAProxy is killed: it is started again, and leads nowhere but to the primary', async () => {
    const { gates } = await deployment.waitUntilHealthy();
    const pid = gates[0]?.pid as number;
    process.kill(pid, 'SIGKILL');
    await waitFor(() => !isAlive(pid), { what: 'HAProxy to be gone', withinMs: 60_000 });
    await untilTaken('after-the-restart');
    expect(await rolesThrough(deployment.ports.gate, 10)).toEqual(['master']);
    const { gates: after } = await deployment.waitUntilHealthy();
    expect(after[0]?.pid).not.toBe(pid);
  });
});

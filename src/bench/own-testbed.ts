/** A deployment of holdfast for one measurement, and the two ways to reach its primary. */
import { MemberClient } from '../redis/member-client.ts';
import { HoldfastTestbed } from '../testbed/holdfast-testbed.ts';
import type { Listener } from '../testbed/listener.ts';
import type { TestbedSettings } from '../testbed/testbed.ts';
import type { Target } from './bench-client.ts';
import { BenchFailed } from './errors.ts';

export interface OwnTestbed {
  testbed: HoldfastTestbed;
  gate: Target;
  direct: Target;
}

/** Starts one on this machine, hands it to `work`, and ends it whatever happens. */
export async function withTestbed<T>(
  settings: Pick<TestbedSettings, 'durability' | 'persistence'>,
  work: (own: OwnTestbed) => Promise<T>,
): Promise<T> {
  const testbed = new HoldfastTestbed({ ...settings, hosts: 'one' });
  try {
    await testbed.start();
    return await work({ testbed, gate: await gateOf(testbed), direct: await primaryOf(testbed) });
  } finally {
    await testbed.stop();
  }
}

/** The listener to the primary. @throws BENCH_FAILED */
export async function listenerOf(testbed: HoldfastTestbed): Promise<Listener> {
  const listener = (await testbed.listeners()).find(({ to }) => to === 'primary');
  if (!listener) throw BenchFailed('the deployment has no gate to measure');
  return listener;
}

async function gateOf(testbed: HoldfastTestbed): Promise<Target> {
  const { endpoint } = await listenerOf(testbed);
  if (!('host' in endpoint)) throw BenchFailed('the deployment has no gate to measure');
  return endpoint;
}

/** Its TCP port, as a client would use it: its Unix socket would make it look faster than it is. */
async function primaryOf(testbed: HoldfastTestbed): Promise<Target> {
  const primary = await testbed.primary();
  if (primary === null) throw BenchFailed('the deployment has no primary to measure');
  const client = new MemberClient(testbed.direct(primary));
  try {
    const { tcp_port } = await client.info('server');
    return { host: '127.0.0.1', port: Number(tcp_port) };
  } finally {
    client.close();
  }
}

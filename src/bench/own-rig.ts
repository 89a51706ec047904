/** A deployment of holdfast for one measurement, and the two ways to reach its primary. */
import { RedisConnection } from '../redis/connection.ts';
import { HoldfastRig } from '../rig/holdfast-rig.ts';
import type { RigSettings } from '../rig/rig.ts';
import { BenchFailed } from './errors.ts';

export interface Target {
  host: string;
  port: number;
}

export interface OwnRig {
  rig: HoldfastRig;
  gate: Target;
  direct: Target;
}

/** Starts one on this machine, hands it to `work`, and ends it whatever happens. */
export async function withRig<T>(
  settings: Pick<RigSettings, 'durability' | 'persistence'>,
  work: (own: OwnRig) => Promise<T>,
): Promise<T> {
  const rig = new HoldfastRig({ ...settings, hosts: 'one' });
  try {
    await rig.start();
    return await work({ rig, gate: await gateOf(rig), direct: await primaryOf(rig) });
  } finally {
    await rig.stop();
  }
}

/** The door to the primary. @throws BENCH_FAILED */
export async function gateOf(rig: HoldfastRig): Promise<Target> {
  const door = (await rig.doors()).find(({ to }) => to === 'primary');
  if (!door || !('host' in door.endpoint)) throw BenchFailed('the deployment has no gate to measure');
  return door.endpoint;
}

/** Its TCP port, as a client would use it: its Unix socket would make it look faster than it is. */
async function primaryOf(rig: HoldfastRig): Promise<Target> {
  const primary = await rig.primary();
  if (primary === null) throw BenchFailed('the deployment has no primary to measure');
  const connection = new RedisConnection(rig.direct(primary));
  try {
    const info = String(await connection.call('INFO', 'server'));
    return { host: '127.0.0.1', port: Number(/^tcp_port:(\d+)/m.exec(info)?.[1]) };
  } finally {
    connection.close();
  }
}

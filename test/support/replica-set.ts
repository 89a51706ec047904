import { waitFor } from '../../src/base/retry.ts';
import type { Credentials } from '../../src/gate/config.ts';
import { client, type Server, startRedis, startSentinel } from './redis-processes.ts';

/** Three members and three Sentinels, as a deployment has them; what an agent does is done by the test. */
export interface Deployment {
  name: string;
  members: Server[];
  sentinels: Server[];
  /** The gate's user on members, when the deployment has passwords. */
  credentials: Credentials | null;
}

const gateUser: Credentials = { username: 'holdfast-gate', password: 'gate-secret' };
/** Passwords with ACL users, as a rendered deployment has them. */
const protectedOptions = (folder: string[]) => [
  ...folder,
  '--requirepass',
  'admin-secret',
  '--masterauth',
  'admin-secret',
  '--user',
  ...`${gateUser.username} on >${gateUser.password} ~* &* +ping +role +info +command +client|list +wait`.split(
    ' ',
  ),
];

export const adminPassword = 'admin-secret';

export async function startDeployment(
  options: { passwords?: boolean; settings?: string[] } = {},
): Promise<Deployment> {
  const name = 'orders';
  const settings = options.passwords ? protectedOptions(options.settings ?? []) : (options.settings ?? []);
  const first = await startRedis(settings);
  const replicaOf = ['--replicaof', '127.0.0.1', `${first.port}`];
  const members = [
    first,
    ...(await Promise.all([
      startRedis([...settings, ...replicaOf]),
      startRedis([...settings, ...replicaOf]),
    ])),
  ];
  const auth = options.passwords ? [`sentinel auth-pass ${name} ${adminPassword}`] : [];
  const sentinels = await Promise.all([1, 2, 3].map(() => startSentinel(name, first.port, 2, auth)));
  const deployment = { name, members, sentinels, credentials: options.passwords ? gateUser : null };
  await waitUntilWhole(deployment);
  return deployment;
}

/** Every replica online, and every Sentinel knows both of them and both other Sentinels. */
async function waitUntilWhole(deployment: Deployment): Promise<void> {
  for (const sentinel of deployment.sentinels) {
    const redis = client(sentinel.port);
    const whole = async () => {
      const master = (await redis.call('SENTINEL', 'MASTER', deployment.name)) as string[];
      const field = (key: string) => master[master.indexOf(key) + 1];
      const replicas = (await redis.call('SENTINEL', 'REPLICAS', deployment.name)) as string[][];
      const linked = replicas.filter((each) => each[each.indexOf('master-link-status') + 1] === 'ok');
      return field('num-other-sentinels') === '2' && linked.length === deployment.members.length - 1;
    };
    await waitFor(whole, { what: 'Sentinels to know the deployment', withinMs: 60_000, everyMs: 50 });
    redis.disconnect();
  }
}

/** After a change of primary: every Sentinel knows it, their failover is over, and every other member follows. */
export async function waitUntilFollowed(deployment: Deployment, primary: number): Promise<void> {
  const password = deployment.credentials ? { password: adminPassword } : {};
  for (const { port } of deployment.sentinels) {
    const redis = client(port);
    const knows = async () => {
      const fields = (await redis.call('SENTINEL', 'MASTER', deployment.name)) as string[];
      const field = (key: string) => fields[fields.indexOf(key) + 1];
      return field('port') === `${primary}` && !field('flags')?.includes('failover');
    };
    await waitFor(() => knows().catch(() => false), {
      what: 'a Sentinel to know the new primary',
      withinMs: 60_000,
      everyMs: 50,
    });
    redis.disconnect();
  }
  for (const { port } of deployment.members) {
    if (port === primary) continue;
    const redis = client(port, password);
    const follows = async () => {
      const info = await redis.info('replication');
      return info.includes(`master_port:${primary}`) && info.includes('master_link_status:up');
    };
    // A Sentinel that turns a member round ends the connections of its clients.
    await waitFor(() => follows().catch(() => false), {
      what: `${port} to follow ${primary}`,
      withinMs: 60_000,
      everyMs: 50,
    });
    redis.disconnect();
  }
}

/**
 * Does what an agent does when a primary has died: one SENTINEL FAILOVER, and REPLICAOF NO ONE to the replica that
 * is selected. Returns the port of the new primary.
 */
export async function failOver(deployment: Deployment, promotes = true): Promise<number> {
  const password = deployment.credentials ? { password: adminPassword } : {};
  const sentinel = deployment.sentinels[0] as Server;
  const events = client(sentinel.port);
  const commands = client(sentinel.port);
  const selected = new Promise<number>((resolve) => {
    events.on('message', (_channel, text: string) => resolve(Number(text.split(' ')[3])));
  });
  await events.subscribe('+selected-slave');
  // A Sentinel that has just seen a change says no until it has looked at everyone again.
  const accepted = async () => (await commands.call('SENTINEL', 'FAILOVER', deployment.name)) === 'OK';
  const what = 'a Sentinel to accept a failover';
  await waitFor(() => accepted().catch(() => false), { what, withinMs: 60_000, everyMs: 50 });
  const port = await selected;
  for (const each of [events, commands]) each.disconnect();
  if (!promotes) return port;
  const member = client(port, password);
  // The Sentinel may have been quicker, and it ends the connections of the member's clients.
  await member.call('REPLICAOF', 'NO', 'ONE').catch(() => {});
  member.disconnect();
  return port;
}

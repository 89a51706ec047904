/** What people run before holdfast: a server and a Sentinel on each host, from files as a distribution has them. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Redis } from 'ioredis';
import { parseDocument } from 'yaml';
import { waitFor } from '../../src/base/retry.ts';
import type { SshServers } from './ssh-servers.ts';
import { farOffWait } from './whole-run.ts';

export const plainPassword = 'as-it-was-before-holdfast';

/** Who they run as, as the packages have it. */
const user = 'redis';
const folders = '/etc/redis /var/lib/redis /var/lib/redis/sentinel';

/** The first host's is primary. The Sentinels watch it as `orders`, and know each other when this returns. */
export async function startPlain(servers: SshServers): Promise<void> {
  const [first = ''] = servers.names;
  // Who set it up by hand wrote the password there.
  servers.ownFolders.push('/etc/redis');
  for (const name of servers.names) {
    const primary = servers.network.addressOf(first);
    const write = (file: string, lines: readonly string[]) =>
      servers.on(name, `umask 027; cat > ${file}; chown ${user}:${user} ${file}`, `${lines.join('\n')}\n`);
    servers.on(name, `mkdir -p ${folders}; chown ${user}:${user} ${folders}; chmod 750 ${folders}`);
    write('/etc/redis/redis.conf', [
      ...['bind 0.0.0.0', 'port 6379', 'daemonize yes', 'supervised no', 'dir /var/lib/redis'],
      ...['logfile /var/lib/redis/redis.log', 'pidfile /var/lib/redis/redis.pid', 'appendonly yes'],
      ...[`requirepass ${plainPassword}`, `masterauth ${plainPassword}`, 'repl-diskless-sync-delay 0'],
      ...(name === first ? [] : [`replicaof ${primary} 6379`]),
    ]);
    write('/etc/redis/sentinel.conf', [
      ...['bind 0.0.0.0', 'port 26379', 'daemonize yes', 'dir /var/lib/redis/sentinel'],
      ...['logfile /var/lib/redis/sentinel.log', 'pidfile /var/lib/redis/sentinel.pid'],
      ...[`sentinel monitor orders ${primary} 6379 2`, `sentinel auth-pass orders ${plainPassword}`],
      'sentinel down-after-milliseconds orders 5000',
    ]);
    servers.on(name, 'cd / && setsid runuser -u redis -- redis-server /etc/redis/redis.conf');
  }
  await waitFor(() => replicasOf(servers, first) === servers.names.length - 1, {
    what: 'the replicas to follow',
    withinMs: farOffWait,
    everyMs: 100,
  });
  for (const name of servers.names)
    servers.on(name, 'cd / && setsid runuser -u redis -- redis-sentinel /etc/redis/sentinel.conf');
  const known = (name: string) => {
    const said = servers.on(name, 'redis-cli -p 26379 SENTINEL MASTER orders | tr "\\n" " "');
    const count = (field: string) => Number(new RegExp(`${field} (\\d+)`).exec(said)?.[1]);
    const others = servers.names.length - 1;
    return count('num-slaves') === others && count('num-other-sentinels') === others;
  };
  await waitFor(() => servers.names.every(known), {
    what: 'the Sentinels',
    withinMs: farOffWait,
    everyMs: 200,
  });
}

function replicasOf(servers: SshServers, name: string): number {
  return (askThere(servers, name, 'INFO replication').match(/state=online/g) ?? []).length;
}

/** Asks the server of a host, or its Sentinel, past everything. The password is seen by nobody on the way. */
function askThere(servers: SshServers, name: string, command: string, port = 6379): string {
  return servers.on(name, `redis-cli -p ${port} 2>/dev/null`, `AUTH ${plainPassword}\n${command}\n`);
}

/** What `init --from` writes of it, with how ssh reaches the hosts. */
export async function writePlainSpec(servers: SshServers, more: Record<string, unknown> = {}): Promise<void> {
  const file = path.join(servers.folder, 'holdfast.yaml');
  const first = servers.network.addressOf(servers.names[0] ?? '');
  writeFileSync(path.join(servers.folder, 'default.password'), `${plainPassword}\n`, { mode: 0o600 });
  const from = ['--from', `sentinel://${first}:26379/orders`, '--password-file', 'default.password'];
  rmSync(file, { force: true });
  const { status, stderr } = await servers.holdfast(['init', file, ...from]);
  if (status !== 0) throw new Error(stderr);
  const spec = parseDocument(readFileSync(file, 'utf8'));
  const { hosts } = spec.toJS() as { hosts: Record<string, { address: string }> };
  for (const [id, { address }] of Object.entries(hosts)) spec.setIn(['hosts', id, 'ssh'], `root@${address}`);
  for (const [key, value] of Object.entries(more)) spec.set(key, spec.createNode(value));
  writeFileSync(file, spec.toString());
}

/** Pids and run_ids of all servers and Sentinels, as they say them. */
export function whoRuns(servers: SshServers): string[] {
  return servers.names.flatMap((name) =>
    [6379, 26379].map((port) => {
      const said = askThere(servers, name, 'INFO server', port);
      return `${name} ${port} ${/process_id:(\d+)/.exec(said)?.[1]} ${/run_id:(\w+)/.exec(said)?.[1]}`;
    }),
  );
}

/** A client of the server of a host, from outside. */
export async function plainClient(servers: SshServers, name: string, port = 6379): Promise<Redis> {
  const socket = await servers.network.relay('laptop', servers.network.addressOf(name), port);
  const redis = new Redis({ path: socket, password: plainPassword, maxRetriesPerRequest: 0 });
  redis.on('error', () => {});
  return redis;
}

/** What is asked of the processes of a plain testbed. Each answers null when it can't be asked. */
import { connect } from 'node:net';
import path from 'node:path';
import type { ConnectionOptions } from '../redis/connection.ts';
import { MemberClient } from '../redis/member-client.ts';
import type { Role } from '../redis/role.ts';
import { SentinelClient } from '../redis/sentinel-client.ts';
import { plainName } from './plain-config.ts';

export async function askSentinel<T>(
  { folder }: { folder: string },
  question: (client: SentinelClient) => Promise<T>,
): Promise<T | null> {
  const client = new SentinelClient({ endpoint: { path: path.join(folder, 'sock') } }, plainName);
  try {
    return await question(client);
  } catch {
    return null;
  } finally {
    client.close();
  }
}

export async function roleAt(connection: ConnectionOptions): Promise<Role | null> {
  const client = new MemberClient({ ...connection, timeoutMs: 500 });
  try {
    return await client.role();
  } catch {
    return null;
  } finally {
    client.close();
  }
}

/** How many servers HAProxy's read-write port has. */
export function serversUp(socket: string): Promise<number | null> {
  return new Promise((resolve) => {
    const client = connect({ path: socket, timeout: 1000 });
    let answer = '';
    client.setEncoding('utf8').on('data', (text: string) => {
      answer += text;
    });
    client.on('connect', () => client.write('show stat\n'));
    client.on('end', () => {
      const rows = answer.split('\n').filter((row) => /^back_redis_master,redis-/.test(row));
      resolve(rows.filter((row) => row.split(',')[17] === 'UP').length);
    });
    client.on('timeout', () => client.destroy());
    client.on('error', () => resolve(null));
    client.on('close', () => resolve(null));
  });
}

/** Files that a server can't load, and disks without room: named, kept, and got over where somebody else has the data. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { TestDeployment } from '../support/deployment.ts';

let deployment: TestDeployment;
afterEach(() => deployment?.destroy());

const keys = 2000;
const dataOf = (id: string) => path.join(deployment.stateDir, 'members', id, 'data');
const keptOf = (id: string) => readdirSync(dataOf(id)).filter((name) => name.startsWith('damaged-'));

async function fill(): Promise<void> {
  const load = deployment.client().pipeline();
  for (let i = 0; i < keys; i++) load.set(`key:${i}`, `${i}`);
  for (const [error] of (await load.exec()) ?? []) expect(error).toBeNull();
  await deployment.client().wait(2, 10_000);
}

/** In the middle, so that it is no tail that was cut short. */
function damageAof(id: string): void {
  const folder = path.join(dataOf(id), 'appendonlydir');
  const file = readdirSync(folder).findLast((name) => name.endsWith('.incr.aof')) as string;
  const bytes = readFileSync(path.join(folder, file));
  const middle = Math.floor(bytes.length / 2);
  bytes.fill('x', middle, middle + 100);
  writeFileSync(path.join(folder, file), bytes);
}

function pidOf(id: string): number {
  const record = readFileSync(path.join(deployment.stateDir, 'members', id, 'process.json'), 'utf8');
  return (JSON.parse(record) as { pid: number }).pid;
}

describe('an AOF that is damaged', () => {
  test('of a replica that runs: it is told, kept, and everything copied anew', async () => {
    deployment = await TestDeployment.up();
    await deployment.waitUntilHealthy();
    await fill();
    damageAof('redis-3');
    process.kill(pidOf('redis-3'), 'SIGKILL');
    const told = () => deployment.events().filter(({ kind }) => kind === 'data-damaged');
    await deployment.waitForStatus('it to be told', () => told().length === 1, 30_000);
    await deployment.waitUntilHealthy(30_000);
    expect(await deployment.client(deployment.ports.members + 2).dbsize()).toBe(keys);
    expect(deployment.events().some(({ text }) => text.includes('Bad file format'))).toBe(true);
    expect(keptOf('redis-3')).toHaveLength(1);
    expect(existsSync(path.join(dataOf('redis-3'), keptOf('redis-3')[0] as string, 'appendonlydir'))).toBe(
      true,
    );
  });

  test('of the primary, when all start: another one takes over; of everyone: nothing starts, and nothing is changed', async () => {
    deployment = await TestDeployment.up();
    await deployment.waitUntilHealthy();
    await fill();
    await deployment.run('down');
    damageAof('redis-1');
    const up = await deployment.run('up', [], ['--detach']);
    expect(up.stderr).toContain("redis-1 can't load its files");
    expect(up.status).toBe(0);
    expect(await deployment.client().dbsize()).toBe(keys);
    expect((await deployment.waitUntilHealthy(30_000)).primary).not.toBe('redis-1');
    expect(keptOf('redis-1')).toHaveLength(1);

    await deployment.run('down');
    // What a member copied whole is in the base of its AOF.
    for (const id of ['redis-1', 'redis-2', 'redis-3']) {
      const folder = path.join(dataOf(id), 'appendonlydir');
      for (const name of readdirSync(folder).filter((each) => /base\.rdb$|incr\.aof$/.test(each)))
        writeFileSync(
          path.join(folder, name),
          `xx${readFileSync(path.join(folder, name), 'latin1').slice(2)}`,
        );
    }
    const none = await deployment.run('up', [], ['--detach']);
    expect(none.status).toBe(1);
    expect(none.stderr).toMatch(/START_FAILED/);
    expect(none.stderr).toContain('no other member has data');
    expect(deployment.runningPids()).toEqual([]);
  });
});

const root = process.getuid?.() === 0;
test.skipIf(!root)('a full disk of a replica is told as that', async () => {
  deployment = await TestDeployment.create();
  const data = dataOf('redis-3');
  mkdirSync(data, { recursive: true });
  expect(spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=3m', 'tmpfs', data]).status).toBe(0);
  try {
    await deployment.start();
    await deployment.waitUntilHealthy();
    const load = deployment.client().pipeline();
    for (let i = 0; i < 100; i++) load.set(`key:${i}`, Buffer.alloc(100_000, i).toString('hex'));
    await load.exec();
    const status = await deployment.waitForStatus('the full disk to be told', ({ problems }) =>
      problems.some((each) => each.startsWith('the disk of redis-3 is full')),
    );
    expect(status.state).toBe('degraded');
    expect(deployment.events().some(({ kind }) => kind === 'disk-full')).toBe(true);
  } finally {
    await deployment.run('down');
    for (const pid of deployment.runningPids()) process.kill(pid, 'SIGKILL');
    spawnSync('umount', ['-l', data]);
  }
});

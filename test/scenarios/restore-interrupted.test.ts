/**
 * A restore that is cut off at any point: the deployment has all of the old data or all of the new, it heals by itself, and
 * the same restore, run again, ends right.
 */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RestoreResult } from '../../src/agent/restore/run-restore.ts';
import type { Manifest } from '../../src/backup/manifest.ts';
import { waitFor } from '../../src/base/retry.ts';
import { isAlive } from '../../src/testbed/leftovers.ts';
import { type CliProcess, startCli } from '../support/cli-process.ts';
import { TestDeployment } from '../support/deployment.ts';
import { isWhole } from '../support/whole-run.ts';

/** Other moments of the same. */
const whole = test.runIf(isWhole);

const oldKeys = 500;
const newKeys = 10_000;

describe('a restore that is interrupted', () => {
  let deployment: TestDeployment;
  let backup: Manifest;
  let ports: number[];

  beforeAll(async () => {
    deployment = await TestDeployment.create();
    const to = pathToFileURL(path.join(deployment.folder, 'store')).href;
    deployment.writeSpec({ backup: { to, schedule: '0 2 * * *', verify: 'never' } });
    await deployment.start();
    const { members } = await deployment.waitUntilHealthy();
    ports = members.map(({ port }) => port);
    await fill('new', newKeys);
    await deployment.waitForFirstBackup();
    [backup] = (await deployment.json<Manifest[]>('backup', ['list'])) as [Manifest];
    expect(backup.keys).toBe(newKeys);
  });
  afterAll(() => deployment?.destroy());

  async function fill(which: string, keys: number): Promise<void> {
    const client = deployment.client();
    await client.flushall();
    const pipeline = client.pipeline();
    pipeline.set('which', which);
    for (let i = 1; i < keys; i++) pipeline.set(`${which}:${i}`, i);
    await pipeline.exec();
    client.disconnect();
  }

  async function onMembers(work: (member: Redis) => Promise<unknown>): Promise<void> {
    await Promise.all(
      ports.map(async (port) => {
        const member = deployment.client(port);
        await work(member).catch(() => {});
        member.disconnect();
      }),
    );
  }

  /** Makes loading, or saving, take a second or two, so that it can be cut off. */
  async function slow(what: 'key-load-delay' | 'rdb-key-save-delay', microseconds: number): Promise<void> {
    await onMembers(async (member) => {
      await member.config('SET', 'loading-process-events-interval-bytes', 1024);
      await member.config('SET', what, microseconds);
    });
  }

  const markFile = () => path.join(deployment.stateDir, 'restore.json');

  /** Waits for a moment of the restore that runs. */
  async function until(
    running: CliProcess,
    what: string,
    test: () => Promise<boolean> | boolean,
  ): Promise<void> {
    let over = false;
    void running.ended.then(() => {
      over = true;
    });
    await waitFor(async () => over || (await test()), { what, withinMs: 60_000, everyMs: 2 });
    if (over) throw new Error(`the restore was over before ${what}: ${running.said()}`);
  }

  const pointedAtTheData = () => existsSync(markFile());

  /** What the member says that takes the data, or took it; nothing as long as nobody does. */
  async function infoOfTaker(): Promise<string> {
    const { primary } = JSON.parse(existsSync(markFile()) ? readFileSync(markFile(), 'utf8') : '{}') as {
      primary?: string;
    };
    if (primary === undefined) return '';
    const port = deployment.ports.members + Number(primary.split('-')[1]) - 1;
    const member = deployment.client(port, { enableReadyCheck: false });
    try {
      return await member.info();
    } finally {
      member.disconnect();
    }
  }

  async function primaryLoads(): Promise<boolean> {
    const info = await infoOfTaker();
    return /role:slave/.test(info) && /loading:1/.test(info);
  }

  async function primaryHasItOnDisk(): Promise<boolean> {
    const info = await infoOfTaker();
    const states = ['role:master', 'aof_enabled:1', 'aof_rewrite_in_progress:0', `keys=${newKeys},`];
    return states.every((state) => info.includes(state));
  }

  const takesSafetyBackup = (running: CliProcess) => () => running.said().includes('taking a backup from');

  async function killAgent(): Promise<void> {
    const pid = deployment.agentPid();
    process.kill(pid, 'SIGKILL');
    await waitFor(() => !isAlive(pid), { what: 'the agent to be gone', withinMs: 60_000 });
  }

  /** Which data every member has: all of one, and nothing of the other. */
  async function whichData(): Promise<string> {
    const states = await Promise.all(
      ports.map(async (port) => {
        const member = deployment.client(port);
        const state = `${await member.get('which')} ${await member.dbsize()}`;
        member.disconnect();
        return state;
      }),
    );
    expect(new Set(states).size).toBe(1);
    return states[0] as string;
  }

  async function sentinelsAreAsBefore(): Promise<boolean> {
    const found = await Promise.all(
      [0, 1, 2].map(async (index) => {
        const sentinel = deployment.client(deployment.ports.sentinels + index);
        const fields = (await sentinel.call('SENTINEL', 'MASTER', 'test')) as string[];
        sentinel.disconnect();
        return fields[fields.indexOf('down-after-milliseconds') + 1];
      }),
    );
    return found.every((each) => each === '3000');
  }

  /** Which data the agent that came next said that the primary has. */
  function toldAfterInterruption(): 'old' | 'new' | 'unknown' {
    const text = deployment.events().findLast(({ kind }) => kind === 'restore-interrupted')?.text ?? '';
    if (text.includes('has the data of before')) return 'old';
    return text.includes('has the restored data') ? 'new' : 'unknown';
  }

  async function isWholeAgain(told: 'old' | 'new' | 'unknown' = 'unknown'): Promise<void> {
    await slow('key-load-delay', 0);
    await slow('rdb-key-save-delay', 0);
    await deployment.waitUntilHealthy(60_000);
    const found = await whichData();
    expect([`old ${oldKeys}`, `new ${newKeys}`]).toContain(found);
    if (told !== 'unknown') expect(found).toMatch(told);
    expect(existsSync(markFile())).toBe(false);
    const again = await deployment.json<RestoreResult>('restore', [backup.id], ['--replace']);
    expect(again.keysAfter).toBe(newKeys);
    expect(await whichData()).toBe(`new ${newKeys}`);
  }

  async function begin(...options: string[]): Promise<CliProcess> {
    await fill('old', oldKeys);
    return startCli([
      'restore',
      backup.id,
      deployment.specFile,
      '--state-dir',
      deployment.stateDir,
      '--replace',
      ...options,
    ]);
  }

  whole('the agent is killed while it has the safety backup taken', async () => {
    await slow('rdb-key-save-delay', 2000);
    const running = await begin();
    await until(running, 'the safety backup', takesSafetyBackup(running));
    await killAgent();
    expect(await running.ended).toBe(1);
    await deployment.start();
    await slow('rdb-key-save-delay', 0);
    expect(await whichData()).toBe(`old ${oldKeys}`);
    await isWholeAgain();
  });

  whole('the agent is killed when the primary was just pointed at the data', async () => {
    await slow('key-load-delay', 50);
    const running = await begin();
    await until(running, 'the primary to be pointed at the data', pointedAtTheData);
    await killAgent();
    expect(await running.ended).toBe(1);
    await deployment.start();
    await isWholeAgain(toldAfterInterruption());
  });

  test('the agent is killed while the primary loads', async () => {
    await slow('key-load-delay', 50);
    const running = await begin();
    await until(running, 'the primary to load', primaryLoads);
    await killAgent();
    expect(await running.ended).toBe(1);
    expect(running.said()).toContain('NOT_RUNNING');
    await deployment.start();
    await isWholeAgain(toldAfterInterruption());
  });

  whole('the command is killed when the primary was just pointed at the data', async () => {
    await slow('key-load-delay', 50);
    const running = await begin();
    await until(running, 'the primary to be pointed at the data', pointedAtTheData);
    running.child.kill('SIGKILL');
    await running.ended;
    await waitFor(() => !existsSync(markFile()), { what: 'the agent to end it', withinMs: 60_000 });
    await isWholeAgain();
  });

  test('Ctrl-C ends it, and says what the deployment has now', async () => {
    await slow('rdb-key-save-delay', 20_000);
    const running = await begin();
    await until(running, 'the safety backup', takesSafetyBackup(running));
    const seconds = ['switchover', 'restart'].map((verb) => deployment.run(verb));
    for (const second of await Promise.all(seconds))
      expect([second.status, second.stderr]).toEqual([1, expect.stringContaining('a restore is under way')]);
    running.child.kill('SIGINT');
    expect(await running.ended).toBe(1);
    expect(running.said()).toContain('RESTORE_INTERRUPTED');
    expect(running.said()).toContain('nothing was restored');
    expect(await whichData()).toBe(`old ${oldKeys}`);
    await isWholeAgain();
  });

  const moments = [
    ['the primary loads', 'key-load-delay', 50, () => primaryLoads],
    ['it has the safety backup taken', 'rdb-key-save-delay', 2000, takesSafetyBackup],
    ['the primary was just pointed at the data', 'key-load-delay', 50, () => pointedAtTheData],
  ] as const;
  whole.each(moments)(
    'SIGTERM to the agent while %s: the restore ends, then everything stops',
    async (_, what, delay, moment) => {
      await slow(what, delay);
      const running = await begin();
      await until(running, 'the moment', moment(running));
      const pids = [...deployment.runningPids(), deployment.agentPid()];
      process.kill(deployment.agentPid(), 'SIGTERM');
      expect([0, 1]).toContain(await running.ended);
      await waitFor(() => !pids.some(isAlive), { what: 'everything to stop', withinMs: 60_000 });
      expect(deployment.runningPids()).toEqual([]);
      expect(existsSync(markFile())).toBe(false);
      await deployment.start();
      await isWholeAgain();
    },
  );

  whole('the primary is killed while it loads', async () => {
    await slow('key-load-delay', 50);
    const running = await begin();
    await until(running, 'the primary to load', primaryLoads);
    const { primary } = JSON.parse(readFileSync(markFile(), 'utf8')) as { primary: string };
    const { members } = await deployment.status();
    process.kill(members.find(({ id }) => id === primary)?.pid as number, 'SIGKILL');
    expect(await running.ended).toBe(1);
    expect(running.said()).toContain('was not restored');
    await isWholeAgain();
  });

  test('a failover that somebody asks the Sentinels for: it ends at once, says so, and writes go on', async () => {
    await slow('key-load-delay', 50);
    const running = await begin('--no-safety-backup');
    await until(running, 'writes to be held', () => running.said().includes('writes are held'));
    const sinceMs = performance.now();
    for (const index of [0, 1, 2])
      await deployment
        .client(deployment.ports.sentinels + index)
        .call('SENTINEL', 'FAILOVER', 'test')
        .catch(() => {});
    expect(await running.ended).toBe(1);
    expect(performance.now() - sinceMs).toBeLessThan(45_000);
    expect(running.said()).toMatch(
      /not restored: the Sentinels made redis-\d primary meanwhile, which holds 500 keys/,
    );
    const ends = ['restored', 'restore-failed'];
    expect(deployment.events().findLast(({ kind }) => ends.includes(kind))?.kind).toBe('restore-failed');
    const client = deployment.client();
    await client.set('which', 'old');
    client.disconnect();
    await deployment.waitUntilHealthy(60_000);
    expect(await whichData()).toBe(`old ${oldKeys}`);
  });

  whole('everything is killed when the data is on the primary’s disk: nothing false is said', async () => {
    await slow('key-load-delay', 50);
    const running = await begin('--no-safety-backup');
    await until(running, 'the data to be on disk', primaryHasItOnDisk);
    for (const pid of [deployment.agentPid(), ...deployment.runningPids()]) process.kill(pid, 'SIGKILL');
    expect(await running.ended).toBe(1);
    await deployment.start();
    const told = toldAfterInterruption();
    await isWholeAgain(told);
  });

  test('at the end the Sentinels wait no longer than before', async () => {
    await waitFor(sentinelsAreAsBefore, {
      what: 'the Sentinels to be as before',
      withinMs: 90_000,
      everyMs: 100,
    });
  });
});

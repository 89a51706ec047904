/** A cut-over that takes longer than one pause of the old server: its writers wait all that time, and then go on. */
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import type { Redis } from 'ioredis';
import { afterAll, expect, test } from 'vitest';
import { waitFor } from '../../src/base/retry.ts';
import { GateControl } from '../../src/gate/control/control-client.ts';
import { startCli } from '../support/cli-process.ts';
import { MigrationProcess } from '../support/migration-process.ts';
import { cleanUp, client, freePort, startRedis, tempFolder } from '../support/redis-processes.ts';
import { farOff, isWhole } from '../support/whole-run.ts';

const stops: (() => void)[] = [];
afterAll(async () => {
  for (const stop of stops) stop();
  await MigrationProcess.killAll();
  await cleanUp();
});

/** As long as the old side pauses its writers at a time. */
const pauseMs = 30_000;
/** What the migration may read, and what it has to read then. */
const [bytesPerSecond, burstBytes] = [100 * 1024, 5 * 2 ** 20];

/** Counts one by one, far below what the migration may read; each reply must be the next number. */
class Counting {
  readonly #redis: Redis;
  readonly #key: string;
  readonly ended: Promise<string>;
  #stopped = false;
  acknowledged = 0;
  longestMs = 0;

  constructor(redis: Redis, key: string) {
    this.#redis = redis;
    this.#key = key;
    this.ended = this.#count();
    stops.push(() => this.stop());
  }

  stop(): void {
    this.#stopped = true;
  }

  async more(writes = 20): Promise<void> {
    const until = this.acknowledged + writes;
    const written = waitFor(() => this.acknowledged >= until, { what: 'more writes', withinMs: 60_000 });
    const why = await Promise.race([written, this.ended.then((end) => `${this.#key} has ended: ${end}`)]);
    if (typeof why === 'string') throw new Error(why);
  }

  /** @returns what ended it */
  async #count(): Promise<string> {
    for (; !this.#stopped; await new Promise((resolve) => setTimeout(resolve, 20))) {
      const begin = performance.now();
      try {
        const count = await this.#redis.incr(this.#key);
        if (count !== this.acknowledged + 1) return `${count} follows ${this.acknowledged}`;
      } catch (error) {
        return (error as Error).message;
      }
      this.acknowledged++;
      this.longestMs = Math.max(this.longestMs, performance.now() - begin);
    }
    return 'stopped';
  }
}

test.skipIf(!isWhole)(
  'writers wait for more than one pause, and go on at the old side when it is given up, at the new one when it is made',
  async () => {
    const [from, to, folder] = [await startRedis(), await startRedis(), tempFolder()];
    const [source, target] = [client(from.port), client(to.port)];
    const [socket, port] = [path.join(folder, 'gate.sock'), await freePort()];
    const between = ['--upstream', `127.0.0.1:${to.port}`, '--predecessor', `127.0.0.1:${from.port}`];
    const gate = startCli(['gate', '--listen', `127.0.0.1:${port}`, ...between, '--control', socket]);
    stops.push(() => gate.child.kill('SIGKILL'));
    const isOpen = async () => (await new GateControl(socket).status().catch(() => null))?.state === 'open';
    await waitFor(isOpen, { what: 'the gate', withinMs: 60_000 });
    const migration = MigrationProcess.begin(path.join(folder, 'state'), [
      ...[`redis://127.0.0.1:${from.port}`, '--to', `redis://127.0.0.1:${to.port}`],
      ...['--max-rate', `${bytesPerSecond}`],
    ]);
    const through = new Counting(client(port), 'through the gate');
    const direct = new Counting(client(from.port), 'at the old side');
    const both = [through, direct];
    /** What takes longer than a pause to be carried over. */
    const burst = async () => {
      await migration.untilFollowing(120_000);
      const values = Array.from({ length: 50 }, () => randomBytes(burstBytes / 50));
      await Promise.all(values.map((value, n) => source.set(`burst:${n}`, value)));
    };

    await burst();
    expect(await migration.ask('cutover', '--gate', socket, '--within', `${pauseMs + 3000}ms`)).toMatchObject(
      {
        ...{
          status: 1,
          said: { error: { code: 'CUT_OVER_NOT_NOW', message: expect.stringContaining('in time') } },
        },
      },
    );
    for (const each of both) {
      await each.more();
      expect(each.longestMs).toBeGreaterThan(pauseMs + 2000);
      each.longestMs = 0;
    }

    await burst();
    const { status, said } = await migration.ask('cutover', '--gate', socket, '--within', '5m');
    expect({ status, said }).toMatchObject({ status: 0, said: { notMoved: [], notFollowed: null } });
    expect(said['heldMs']).toBeGreaterThan(pauseMs + 2000);
    // Who writes at the old side is refused, and not told that it wrote.
    expect(await direct.ended).toMatch(/NOPERM/);
    expect(Number(await target.get('at the old side'))).toBe(direct.acknowledged);
    await through.more();
    expect(through.longestMs).toBeGreaterThan(pauseMs + 2000);
    through.stop();
    expect(await through.ended).toBe('stopped');
    expect(Number(await target.get('through the gate'))).toBe(through.acknowledged);
    expect(await migration.ask('verify')).toMatchObject({ status: 0, said: { equal: true } });
    expect(await migration.ask('finish')).toMatchObject({ status: 0 });
  },
  farOff,
);

test.skipIf(!isWhole)(
  'behind the cut-over of a server that can’t follow back its writers wait until it is finished',
  async () => {
    const [from, to] = [await startRedis(), await startRedis()];
    const direct = new Counting(client(from.port), 'at the old side');
    const migration = MigrationProcess.begin(path.join(tempFolder(), 'state'), [
      ...[`redis://127.0.0.1:${from.port}`, '--to', `redis://127.0.0.1:${to.port}`, '--method', 'scan'],
    ]);
    await migration.untilFollowing();
    await direct.more();
    expect(await migration.ask('cutover')).toMatchObject({ status: 0 });
    const before = direct.acknowledged;
    expect(Number(await client(to.port).get('at the old side'))).toBe(before);
    await new Promise((resolve) => setTimeout(resolve, pauseMs + 5000));
    expect(direct.acknowledged).toBe(before);
    expect(await migration.ask('verify')).toMatchObject({ status: 0, said: { equal: true } });
    expect(await migration.ask('finish', '--release')).toMatchObject({ status: 0 });
    await direct.more();
    direct.stop();
    expect(await direct.ended).toBe('stopped');
  },
  farOff,
);

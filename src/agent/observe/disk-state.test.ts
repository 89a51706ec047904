import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { makeRdb } from '../../../test/support/rdb-files.ts';
import { cleanUp, client, startRedis } from '../../../test/support/redis-processes.ts';
import { waitFor } from '../../base/retry.ts';
import { aofStamp, dataFiles } from '../persistence/data-files.ts';
import { readDiskState } from './disk-state.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'holdfast-disk-'));
});
afterEach(async () => {
  await cleanUp();
  rmSync(folder, { recursive: true, force: true });
});

const nothing = { hasData: false, writtenAtMs: 0 };
const file = (name: string) => path.join(folder, name);
const read = (dataDir = folder) =>
  readDiskState({ dataDir, config: file('redis.conf'), persistence: file('persistence.json') });

/** Runs a real server in the folder until it has done what is wanted, and stops it. */
async function withServer(options: string[], work: (call: ReturnType<typeof client>) => Promise<unknown>) {
  const server = await startRedis([...options, '--dir', folder]);
  const redis = client(server.port);
  await work(redis);
  const ended = new Promise((resolve) => server.process.once('exit', resolve));
  await redis.shutdown('NOSAVE').catch(() => {});
  await ended;
}
const aof = ['--appendonly', 'yes'];

describe('what redis-server wrote', () => {
  test('the AOF of an empty database is no data, with one write it is', async () => {
    await withServer(aof, (redis) => redis.ping());
    expect(readFileSync(file('appendonlydir/appendonly.aof.1.base.rdb')).length).toBeGreaterThan(0);
    expect(await read()).toEqual(nothing);
    const beforeMs = Date.now() - 1000;
    await withServer(aof, (redis) => redis.set('k', 'v'));
    const { hasData, writtenAtMs } = await read();
    expect(hasData).toBe(true);
    expect(writtenAtMs).toBeGreaterThan(beforeMs);
  });

  test('a rewritten AOF has its keys in the base', async () => {
    await withServer(aof, async (redis) => {
      await redis.set('k', 'v');
      await redis.bgrewriteaof();
      const rewritten = async () =>
        !/aof_rewrite_(in_progress|scheduled):1/.test(await redis.info('persistence'));
      await waitFor(rewritten, { what: 'the AOF to be rewritten', withinMs: 10_000 });
    });
    expect((await read()).hasData).toBe(true);
  });

  test('the RDB of an empty database is no data; with a key or a function it is', async () => {
    await withServer([], (redis) => redis.save());
    expect(readFileSync(file('dump.rdb')).length).toBeGreaterThan(0);
    expect(await read()).toEqual(nothing);
    await withServer([], async (redis) => {
      await redis.set('k', 'v');
      await redis.save();
    });
    expect((await read()).hasData).toBe(true);
    await withServer([], async (redis) => {
      await redis.flushall();
      const library = "#!lua name=lib\nredis.register_function('f', function() return 1 end)";
      await redis.call('FUNCTION', 'LOAD', library);
      await redis.save();
    });
    expect((await read()).hasData).toBe(true);
  });

  test('the RDB of an empty primary with a replication history is no data', async () => {
    await withServer([], async (redis) => {
      const replica = await startRedis(['--replicaof', '127.0.0.1', `${redis.options.port}`]);
      const linked = async () =>
        (await client(replica.port).info('replication')).includes('master_link_status:up');
      await waitFor(linked, { what: 'the replica to be linked', withinMs: 10_000 });
      // The child that sent the replica its copy may not have been reaped yet, and SAVE is refused until then.
      const saved = async () => (await redis.save()) === 'OK';
      await waitFor(saved, { what: 'SAVE to be taken', withinMs: 10_000 });
    });
    expect(readFileSync(file('dump.rdb'), 'latin1')).toContain('repl-offset');
    expect(await read()).toEqual(nothing);
  });
});

test('an RDB of Valkey 9 without keys is no data either', async () => {
  const made = (entries: { key: string; value: string }[]) =>
    makeRdb(entries, { flavor: 'valkey', version: 80 });
  writeFileSync(file('dump.rdb'), await made([]));
  expect(await read()).toEqual(nothing);
  writeFileSync(file('dump.rdb'), await made([{ key: 'k', value: 'v' }]));
  expect((await read()).hasData).toBe(true);
});

describe('what is loaded as it is configured', () => {
  const mark = { from: 'rdb', to: 'aof', stage: 'writing', aofBefore: null, rdbBefore: null };
  beforeEach(() => {
    mkdirSync(file('appendonlydir'));
    writeFileSync(file('appendonlydir/appendonly.aof.1.incr.aof'), 'commands');
    const manifest = 'file appendonly.aof.1.incr.aof seq 1 type i\n';
    writeFileSync(file('appendonlydir/appendonly.aof.manifest'), manifest);
    utimesSync(file('appendonlydir/appendonly.aof.1.incr.aof'), 7000, 7000);
  });
  const saved = () => {
    writeFileSync(file('dump.rdb'), 'data');
    utimesSync(file('dump.rdb'), 9000, 9000);
  };

  test('without an AOF, an AOF that lies there is no data', async () => {
    writeFileSync(file('redis.conf'), 'appendonly no\nsave 60 1\n');
    expect(await read()).toEqual(nothing);
    saved();
    expect(await read()).toEqual({ hasData: true, writtenAtMs: 9_000_000 });
  });

  test('with an AOF, an RDB that lies there is no data, nor a part that its manifest does not list', async () => {
    writeFileSync(file('redis.conf'), 'appendonly yes\n');
    saved();
    expect(await read()).toEqual({ hasData: true, writtenAtMs: 7_000_000 });
    writeFileSync(file('appendonlydir/appendonly.aof.manifest'), '');
    expect(await read()).toEqual(nothing);
  });

  test('the names are those of its redis.conf', async () => {
    writeFileSync(file('redis.conf'), 'appendonly yes\nappenddirname "elsewhere"\n');
    expect(await read()).toEqual(nothing);
    writeFileSync(file('redis.conf'), 'appendonly no\ndbfilename other.rdb\n');
    saved();
    expect(await read()).toEqual(nothing);
  });

  test('during a change it is what counts by the mark, whatever Redis wrote to redis.conf', async () => {
    writeFileSync(file('redis.conf'), 'appendonly yes\n');
    writeFileSync(file('persistence.json'), JSON.stringify({ ...mark, aofBefore: await aofStampNow() }));
    expect(await read()).toEqual(nothing);
    writeFileSync(file('persistence.json'), JSON.stringify(mark));
    expect((await read()).hasData).toBe(true);
  });

  test('a mark that nobody can read: everything counts, for nobody can say that there is no data', async () => {
    writeFileSync(file('redis.conf'), 'appendonly no\n');
    writeFileSync(file('persistence.json'), '{');
    expect((await read()).hasData).toBe(true);
  });

  const aofStampNow = () => aofStamp(dataFiles(folder, ''));
});

describe('what lies there', () => {
  const emptyRdb = Buffer.from([
    ...Buffer.from('REDIS0010'),
    0xfa,
    1,
    0x61,
    1,
    0x62,
    0xff,
    1,
    2,
    3,
    4,
    5,
    6,
    7,
    8,
  ]);

  test('no folder, an empty one, or files that are not Redis’s: no data', async () => {
    expect(await read(file('nowhere'))).toEqual(nothing);
    expect(await read()).toEqual(nothing);
    writeFileSync(file('notes.txt'), 'x');
    writeFileSync(file('nodes.conf'), 'x');
    mkdirSync(file('old.rdb'));
    expect(await read()).toEqual(nothing);
  });

  test('what a save or a rewrite that was cut short left behind is no data', async () => {
    mkdirSync(file('appendonlydir'));
    for (const name of ['temp-123.rdb', 'appendonlydir/temp-rewriteaof-bg-123.aof'])
      writeFileSync(file(name), 'REDIS0010x');
    expect(await read()).toEqual(nothing);
  });

  test('the single AOF of 6.2: commands are data, so are those after an empty RDB at its head', async () => {
    const name = file('appendonly.aof');
    writeFileSync(name, '');
    expect(await read()).toEqual(nothing);
    writeFileSync(name, '*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n');
    expect((await read()).hasData).toBe(true);
    writeFileSync(name, emptyRdb);
    expect(await read()).toEqual(nothing);
    writeFileSync(name, Buffer.concat([emptyRdb, Buffer.from('*')]));
    expect((await read()).hasData).toBe(true);
  });

  test('the newest file that holds something counts', async () => {
    const times = { 'dump.rdb': 3000, 'appendonly.aof': 5000 };
    for (const [name, seconds] of Object.entries(times)) {
      writeFileSync(file(name), 'data');
      utimesSync(file(name), seconds, seconds);
    }
    expect(await read()).toEqual({ hasData: true, writtenAtMs: 5_000_000 });
  });

  test.each<[string, Buffer]>([
    ['cut within the header', Buffer.from('REDIS0')],
    ['cut within a field', emptyRdb.subarray(0, 12)],
    [
      'with a field longer than its head',
      Buffer.concat([Buffer.from('REDIS0010'), Buffer.from([0xfa, 0x80, 0, 1, 0, 0])]),
    ],
    ['that is none', Buffer.from('<html>')],
  ])('an RDB %s counts as data: nobody can say that there is none', async (_name, bytes) => {
    writeFileSync(file('dump.rdb'), bytes);
    expect((await read()).hasData).toBe(true);
  });

  test('an RDB whose fields have every kind of string is read to its end', async () => {
    const long = Buffer.alloc(300, 0x61);
    const fields = [
      Buffer.concat([Buffer.from([0xfa, 3]), Buffer.from('one'), Buffer.from([0xc0, 7])]),
      Buffer.concat([Buffer.from([0xfa, 3]), Buffer.from('two'), Buffer.from([0xc1, 7, 7])]),
      Buffer.concat([Buffer.from([0xfa, 4]), Buffer.from('four'), Buffer.from([0xc2, 7, 7, 7, 7])]),
      Buffer.concat([Buffer.from([0xfa, 4]), Buffer.from('long'), Buffer.from([0x40 | 1, 300 - 256]), long]),
    ];
    const end = Buffer.from([0xff, 1, 2, 3, 4, 5, 6, 7, 8]);
    writeFileSync(file('dump.rdb'), Buffer.concat([Buffer.from('REDIS0010'), ...fields, end]));
    expect(await read()).toEqual(nothing);
  });

  test('a name without a file behind it is no data, and no reason to fail', async () => {
    symlinkSync(file('gone'), file('dump.rdb'));
    expect(await read()).toEqual(nothing);
  });

  test('a file that may not be read counts as data', async () => {
    writeFileSync(file('dump.rdb'), emptyRdb);
    chmodSync(file('dump.rdb'), 0);
    // Root may read everything, so it becomes somebody else for a moment.
    chmodSync(folder, 0o755);
    const root = process.getuid?.() === 0;
    if (root) process.seteuid?.(65_534);
    try {
      expect(() => readFileSync(file('dump.rdb'))).toThrow('EACCES');
      expect((await read()).hasData).toBe(true);
    } finally {
      if (root) process.seteuid?.(0);
    }
  });
});

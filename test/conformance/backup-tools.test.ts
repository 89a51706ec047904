import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import * as zlib from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openStore } from '../../src/backup/open-store.ts';
import { waitFor } from '../../src/base/retry.ts';
import { openSnapshot } from '../../src/redis/replication-stream.ts';
import { slowDown, startFilled, take } from '../support/backups.ts';
import {
  cleanUp,
  client,
  type Server,
  startRedis,
  startSentinel,
  tempFolder,
} from '../support/redis-processes.ts';

afterAll(() => cleanUp());

describe('other tools open a backup', () => {
  test.each(['gzip', 'zstd'] as const)('age, %s and redis-check-rdb', async (compression) => {
    const server = await startFilled(3);
    const folder = tempFolder();
    const key = path.join(folder, 'key.txt');
    execFileSync('age-keygen', ['-o', key], { stdio: 'ignore' });
    const recipient = execFileSync('age-keygen', ['-y', key]).toString().trim();
    const store = await openStore(pathToFileURL(folder).href);
    const { object, rdb } = await take(server, store, { compression, recipients: [recipient] });
    const packed = execFileSync('age', ['-d', '-i', key, path.join(folder, object)], { maxBuffer: 2 ** 26 });
    const plain = execFileSync(compression, ['-dc'], { input: packed, maxBuffer: 2 ** 26 });
    expect(plain.length).toBe(rdb.bytes);
    const file = path.join(folder, 'dump.rdb');
    writeFileSync(file, plain);
    expect(execFileSync('redis-check-rdb', [file]).toString()).toContain('RDB looks OK!');
  });

  const hasOwn = 'createZstdCompress' in zlib;
  test.skipIf(hasOwn)('without the zstd program it says so, and leaves nothing', async () => {
    const server = await startRedis();
    const folder = tempFolder();
    const store = await openStore(pathToFileURL(path.join(folder, 'store')).href);
    const { PATH } = process.env;
    process.env['PATH'] = folder;
    try {
      await expect(take(server, store, { compression: 'zstd' })).rejects.toMatchObject({
        code: 'BACKUP_COMPRESSOR_MISSING',
      });
    } finally {
      process.env['PATH'] = PATH;
    }
    expect(await store.list('')).toEqual([]);
  });
});

describe('a backup of the primary is not taken for a replica', () => {
  const name = 'orders';
  let primary: Server;
  let sentinel: Server;
  beforeAll(async () => {
    primary = await startFilled(10);
    sentinel = await startSentinel(name, primary.port, 1);
    // Every tenth of a second instead of every ten seconds.
    await client(sentinel.port).call('SENTINEL', 'DEBUG', 'info-period', '100');
    await slowDown(primary, 300);
  });

  async function sentinelsReplicas(): Promise<string[]> {
    const found = (await client(sentinel.port).call('SENTINEL', 'REPLICAS', name)) as string[][];
    return found.map((each) => each[each.indexOf('name') + 1] as string);
  }

  test('not by Sentinel, ROLE, WAIT or min-replicas-to-write', async () => {
    const admin = client(primary.port);
    await admin.config('SET', 'min-replicas-to-write', '1');
    const snapshot = await openSnapshot({ address: '127.0.0.1', port: primary.port });
    try {
      const info = await admin.info('replication');
      expect(info).toMatch(/slave0:ip=127\.0\.0\.1,port=65536,state=(wait_bgsave|send_bulk)/);
      expect(info).toContain('min_slaves_good_slaves:0');
      expect(await admin.role()).toEqual(['master', expect.anything(), []]);
      expect(await admin.wait(1, 50)).toBe(0);
      // A stranger that comes later shows that the Sentinel has looked meanwhile.
      const stranger = connect(primary.port, '127.0.0.1');
      stranger.write('REPLCONF listening-port 1\r\n');
      await once(stranger, 'data');
      stranger.write('PSYNC ? -1\r\n');
      const look = async () => (await sentinelsReplicas()).includes('127.0.0.1:1');
      await waitFor(look, { what: 'the Sentinel to take the stranger up', withinMs: 60_000 });
      expect(await sentinelsReplicas()).toEqual(['127.0.0.1:1']);
      expect(await admin.info('replication')).toContain('port=65536');
      stranger.destroy();
    } finally {
      snapshot.close();
    }
  });

  test('the server keeps no writes for it', async () => {
    const admin = client(primary.port);
    await admin.config('SET', 'min-replicas-to-write', '0');
    await admin.config('SET', 'client-output-buffer-limit', 'replica 1mb 1mb 1');
    const snapshot = await openSnapshot({ address: '127.0.0.1', port: primary.port });
    try {
      const value = 'x'.repeat(100_000);
      for (let write = 0; write < 50; write++) await admin.set('written', value);
      const clients = String(await admin.client('LIST'));
      const own = clients.split('\n').find((line) => line.includes('cmd=psync'));
      expect(own).toMatch(/ oll=0 omem=0 /);
    } finally {
      snapshot.close();
    }
  });
});

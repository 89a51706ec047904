import { rmSync } from 'node:fs';
import type { Server } from 'node:http';
import { createRequire } from 'node:module';
import { openStore } from '../../src/backup/open-store.ts';
import type { StoreOptions } from '../../src/backup/s3-client.ts';
import type { BackupStore } from '../../src/backup/store.ts';
import { FaultProxy } from './fault-proxy.ts';
import { freePort, tempFolder } from './redis-processes.ts';

interface S3rver {
  readonly httpServer: Server;
  run(): Promise<unknown>;
  close(): Promise<void>;
}

const S3rverClass = createRequire(import.meta.url)('s3rver') as new (options: object) => S3rver;

/** A server that speaks the S3 API, with one bucket, on loopback. Its credentials go into the environment. */
export interface S3Server {
  /** In front of it; what goes wrong is said there. */
  proxy: FaultProxy;
  endpoint: string;
  folder: string;
  open(prefix: string, options?: StoreOptions): Promise<BackupStore>;
  close(): Promise<void>;
}

export const s3Credentials = { AWS_ACCESS_KEY_ID: 'S3RVER', AWS_SECRET_ACCESS_KEY: 'S3RVER' };

export async function startS3(): Promise<S3Server> {
  Object.assign(process.env, s3Credentials);
  const port = await freePort();
  const folder = tempFolder();
  const configureBuckets = [{ name: 'bucket', configs: [] }];
  const server = new S3rverClass({
    port,
    address: '127.0.0.1',
    silent: true,
    directory: folder,
    configureBuckets,
  });
  await server.run();
  const proxy = await FaultProxy.start(`http://127.0.0.1:${port}`);
  const { endpoint } = proxy;
  return {
    proxy,
    endpoint,
    folder,
    open: (prefix, options = {}) =>
      openStore(`s3://bucket/${prefix}`, { endpoint, pathStyle: true, ...options }),
    close: async () => {
      await proxy.close();
      const closed = server.close();
      // A request that a fault cut off in its middle would keep it open for minutes.
      server.httpServer.closeAllConnections();
      await closed;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

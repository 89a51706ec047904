import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** One backup, as a process of its own: `node backup-once.js PORT STORE COMPRESSION`. */
const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', '..', '..');
const built = async (file: string): Promise<unknown> =>
  await import(pathToFileURL(path.join(root, 'dist', 'backup', file)).href);
const { openStore } = (await built('open-store.js')) as typeof import('../src/backup/open-store.ts');
const { takeBackup } = (await built('take.js')) as typeof import('../src/backup/take.ts');
const [port, url = '', compression = 'none'] = process.argv.slice(2);
await takeBackup({
  deployment: 'bench',
  source: {
    member: 'bench',
    address: '127.0.0.1',
    port: Number(port),
    role: 'replica',
    serverVersion: '',
    expectedBytes: 0,
    credentials: undefined,
    tls: undefined,
  },
  store: await openStore(url),
  reason: 'manual',
  compression: compression as 'none' | 'gzip' | 'zstd',
  recipients: [],
  holder: 'the benchmark',
});

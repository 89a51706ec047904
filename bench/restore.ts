import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { Redis } from 'ioredis';
import { waitFor } from '../src/base/retry.ts';
import { freePorts } from '../src/process/free-ports.ts';
import { setRandomKeys } from './random-keys.ts';

/**
 * Times how long a deployment of three members on this machine takes to get its data back: `restore` of a whole backup
 * into an emptied deployment, from the command to its end, and of that how long writes were held; and `backup verify`.
 *
 * Usage: npm run bench:restore [-- --megabytes 500 --value 1000 --rounds 3 --folder DIR]
 */
const { values } = parseArgs({
  options: {
    megabytes: { type: 'string', default: '500' },
    value: { type: 'string', default: '1000' },
    rounds: { type: 'string', default: '3' },
    folder: { type: 'string', default: os.tmpdir() },
  },
});
const valueBytes = Number(values.value);
const keys = Math.round((Number(values.megabytes) * 1e6) / valueBytes);
const folder = mkdtempSync(path.join(values.folder, 'hf-bench-restore-'));
const specFile = path.join(folder, 'holdfast.yaml');
const command = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url));

async function holdfast(...args: string[]): Promise<{ seconds: number; json: Record<string, unknown> }> {
  const began = performance.now();
  const all = [command, ...args, specFile, '--state-dir', path.join(folder, 's'), '--json'];
  const child = spawn(process.execPath, all, { stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  let said = '';
  child.stdout.on('data', (piece: Buffer) => {
    text += piece.toString();
  });
  child.stderr.on('data', (piece: Buffer) => {
    said += piece.toString();
  });
  const [status] = (await once(child, 'close')) as [number | null];
  if (status !== 0) throw new Error(`holdfast ${args.join(' ')} ended with ${status}: ${said}${text}`);
  return { seconds: (performance.now() - began) / 1000, json: JSON.parse(text) as Record<string, unknown> };
}

function median(numbers: number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;
}

const first = await freePorts(10);
const spec = {
  name: 'bench',
  redis: { members: 3, port: first },
  sentinel: { port: first + 3 },
  gate: { port: first + 6, replicaPort: first + 7 },
  agent: { port: first + 8 },
  // The first is taken while it is filled, and then none is due: the leap day is far away.
  backup: { to: pathToFileURL(path.join(folder, 'store')).href, schedule: '0 0 29 2 *', verify: 'never' },
};
// JSON is YAML.
writeFileSync(specFile, JSON.stringify(spec));
async function cleanUp(): Promise<void> {
  await holdfast('down').catch((error: Error) => console.error(error.message));
  rmSync(folder, { recursive: true, force: true });
}
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void cleanUp().finally(() => process.exit(1)));
}
try {
  await holdfast('up', '--detach');
  const redis = new Redis(spec.gate.port, '127.0.0.1', { commandTimeout: 60_000 });
  await setRandomKeys(redis, keys, valueBytes);
  const firstIsThere = async () => {
    const { backup } = (await holdfast('status')).json as { backup: { lastGoodAt: string | null } };
    return backup.lastGoodAt !== null;
  };
  await waitFor(firstIsThere, { what: 'the first backup', withinMs: 60_000, everyMs: 200 });
  const { json: backup } = await holdfast('backup', 'now');
  const bytes = (backup['rdb'] as { bytes: number }).bytes;
  const verify = (await holdfast('backup', 'verify', String(backup['id']))).seconds;
  const whole: number[] = [];
  const held: number[] = [];
  for (let round = 0; round < Number(values.rounds); round++) {
    await redis.flushall();
    const { seconds, json } = await holdfast('restore', String(backup['id']));
    whole.push(seconds);
    held.push(Number(json['heldMs']) / 1000);
    console.error(
      `round ${round + 1}: ${seconds.toFixed(2)} s, writes held for ${held.at(-1)?.toFixed(2)} s`,
    );
  }
  redis.disconnect();
  const rate = (seconds: number) => `${seconds.toFixed(1)} s, ${(bytes / 1e6 / seconds).toFixed(0)} MB/s`;
  console.log(
    `${keys} keys of ${valueBytes} bytes, an RDB of ${(bytes / 1e6).toFixed(0)} MB, ${whole.length} rounds`,
  );
  console.log(`restore, from the command to the last replica  ${rate(median(whole))}`);
  console.log(`  of that writes were held for                 ${rate(median(held))}`);
  console.log(`backup verify                                  ${rate(verify)}`);
} finally {
  await cleanUp();
}

/**
 * A process that takes backups for the agent, so that summing up gigabytes never keeps the agent from seeing a failure.
 * worker-task.ts has what is said. It gives way to everything else on the machine.
 */
import { readFileSync } from 'node:fs';
import os from 'node:os';
import { createInterface } from 'node:readline';
import { systemClock } from '../base/clock.ts';
import { errorToJson } from '../base/error-wire.ts';
import { openStore } from './open-store.ts';
import type { BackupKeys } from './packing.ts';
import { runScheduled } from './scheduled-run.ts';
import { sourceForAgent, takeForAgent } from './take-for-agent.ts';
import type { WorkerLine, WorkerTask } from './worker-task.ts';

const niceness = 10;

function say(line: WorkerLine): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

async function work(task: WorkerTask, signal: AbortSignal): Promise<unknown> {
  const context = { clock: systemClock, signal, report: (step: string) => say({ step }) };
  if (task.task === 'take') {
    const store = await openStore(task.store.url, task.store.options);
    const take = { ...task, wish: 'prefer-replica' };
    return takeForAgent(take, await sourceForAgent(take), { ...context, store });
  }
  const { backup } = task.spec;
  if (backup === null) throw new TypeError('the spec has no backup');
  const store = await openStore(backup.to, backup.s3);
  return runScheduled({ ...task, backup }, { ...context, store, keys: identities() });
}

/** Hosts that take encrypted backups can't open them, unless someone who wants them verified there says with what. */
function identities(): BackupKeys {
  const file = process.env['HOLDFAST_AGE_IDENTITY_FILE'];
  if (!file) return {};
  const lines = readFileSync(file, 'utf8').split('\n');
  return {
    identities: lines.filter((line) => line.startsWith('AGE-SECRET-KEY-')).map((line) => line.trim()),
  };
}

try {
  os.setPriority(niceness);
} catch {
  // Not allowed here: then it runs like everything else.
}
const left = new AbortController();
const lines = createInterface({ input: process.stdin });
lines.on('close', () => left.abort(new Error('the agent is gone')));
// Ctrl-C on a terminal is meant for the agent, which tells us.
process.on('SIGINT', () => {});
lines.once('line', (line) => {
  work(JSON.parse(line) as WorkerTask, left.signal)
    .then(
      (result) => say({ result }),
      (error: unknown) => say({ error: errorToJson(error) }),
    )
    .finally(() => process.exit(0));
});

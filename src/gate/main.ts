#!/usr/bin/env node
import cluster from 'node:cluster';
import { errorToJson } from '../base/error-wire.ts';
import { waitUntilLetGo } from '../base/let-go.ts';
import { outliveOutput } from '../base/outlive-output.ts';
import type { GateConfig } from './config.ts';
import { givenGateConfig, readGateConfig } from './config-file.ts';
import { obeyPool } from './control/worker-calls.ts';
import { WorkerPool } from './control/workers.ts';
import { BadGateConfig } from './errors.ts';
import { Gate } from './gate.ts';

/** `node dist/gate/main.js --config FILE`: one gate process. Lines to stderr; passwords only in the file. */
async function main(args: string[]): Promise<void> {
  const config = (args.length === 0 ? givenGateConfig() : null) ?? readGateConfig(fileIn(args));
  const say = (text: string) => log(config.id, text);
  const gate = cluster.isWorker ? workerGate(config) : makeGate(config, say);
  // The terminal signals every process of its group; workers are told by the first one.
  const drain = () => gate.drain({ graceMs: config.holdMs });
  process.on('SIGTERM', drain).on('SIGINT', cluster.isWorker ? () => {} : drain);
  try {
    await gate.start();
  } catch (error) {
    gate.stop();
    throw error;
  }
  if (cluster.isWorker) obeyPool(gate as Gate);
  else {
    const { port } = config.listen;
    const listening =
      gate instanceof Gate ? gate.ports : { port, replicaPort: config.replicaListen?.port ?? null };
    const readOnly = listening.replicaPort === null ? '' : `, read-only on ${listening.replicaPort}`;
    say(`listening on ${listening.port}${readOnly}`);
  }
  await gate.finished;
  process.exit(0);
}

function fileIn([option, file, ...more]: string[]): string {
  if (option === '--config' && file !== undefined && more.length === 0) return file;
  throw BadGateConfig('usage: main.js --config FILE', { hint: '`holdfast gate` is the command for people.' });
}

function makeGate(config: GateConfig, say: (text: string) => void): Gate | WorkerPool {
  return config.workers > 1 ? new WorkerPool(config, say) : new Gate(config, say);
}

/** Numbers its clients so that no other worker gives the same number. */
function workerGate(config: GateConfig): Gate {
  const index = Number(process.env['HOLDFAST_GATE_WORKER']);
  const say = (text: string) => log(`${config.id}/${index + 1}`, text);
  return new Gate({ ...config, controlSocket: null, metricsListen: null }, say, {
    first: index + 1,
    step: config.workers,
  });
}

function log(id: string, text: string): void {
  process.stderr.write(`${new Date().toISOString()} ${id} ${text}\n`);
}

outliveOutput();
waitUntilLetGo();
try {
  await main(process.argv.slice(2));
} catch (error) {
  const { message, hint, exitStatus } = errorToJson(error);
  process.stderr.write(`holdfast gate: ${message}${hint === undefined ? '' : ` (${hint})`}\n`);
  process.exit(exitStatus);
}

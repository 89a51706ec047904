#!/usr/bin/env node
import { errorText, HoldfastError } from '../base/errors.ts';
import { readGateConfig } from './config.ts';
import { BadGateConfig } from './errors.ts';
import { Gate } from './gate.ts';

/** `node dist/gate/main.js --config FILE`: one gate process. Lines to stderr; passwords only in the file. */
async function main(args: string[]): Promise<void> {
  if (args[0] !== '--config' || args[1] === undefined || args.length > 2) {
    throw BadGateConfig('usage: main.js --config FILE', {
      hint: '`holdfast gate` is the command for people.',
    });
  }
  const config = readGateConfig(args[1]);
  const gate = new Gate(config, (text) => log(config.id, text));
  process.on('SIGTERM', () => gate.drain({ graceMs: config.holdMs }));
  process.on('SIGINT', () => gate.drain({ graceMs: config.holdMs }));
  try {
    await gate.start();
  } catch (error) {
    gate.stop();
    throw error;
  }
  const { port, replicaPort } = gate.ports;
  log(config.id, `listening on ${port}${replicaPort === null ? '' : `, read-only on ${replicaPort}`}`);
  await gate.finished;
  process.exit(0);
}

function log(id: string, text: string): void {
  process.stderr.write(`${new Date().toISOString()} ${id} ${text}\n`);
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  const known = error instanceof HoldfastError;
  const hint = known && error.hint !== undefined ? ` (${error.hint})` : '';
  process.stderr.write(`holdfast gate: ${errorText(error)}${hint}\n`);
  process.exit(known ? error.exitStatus : 1);
}

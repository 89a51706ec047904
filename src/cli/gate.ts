import cluster from 'node:cluster';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Command, Option } from 'commander';
import { defineError } from '../base/errors.ts';
import { outliveOutput } from '../base/outlive-output.ts';
import type { GateConfig } from '../gate/config.ts';
import {
  completeGateConfig,
  configVariable,
  type GateFileInput,
  readGateConfig,
} from '../gate/config-file.ts';
import {
  type GateOptions,
  gateInput,
  limitNames,
  parseAddress,
  parseAddresses,
  parseLimit,
  parseMs,
  parseWorkers,
} from './gate-options.ts';
import { action, verb } from './verb.ts';

const BadGateOptions = defineError('GATE_OPTIONS', 2);

/** `holdfast gate`: the gate alone, without an agent, in front of one Redis or of what Sentinels watch. */
export function gateVerb(): Command {
  const command = verb('gate', 'run the gate alone, in front of one Redis or of any Sentinel deployment', [
    ['holdfast gate --sentinel s1:26379,s2:26379,s3:26379 --name mymaster', 'follow what Sentinels watch'],
    ['holdfast gate --config /etc/holdfast/gate.json', 'the same from a file, which --print-config shows'],
    ['holdfast gate --upstream 127.0.0.1:6379', 'one Redis; clients wait through a restart of it'],
  ])
    .option('--sentinel <address:port,…>', 'all Sentinels of the deployment', parseAddresses)
    .option('--name <name>', 'what the Sentinels call the primary')
    .option('--upstream <address:port>', 'one Redis, instead of Sentinels', parseAddress)
    .option('--predecessor <address:port>', 'who serves the clients until they are moved', parseAddress)
    .option(
      '--control <socket>',
      'a Unix socket on which it is told what to do: holdfast migrate cutover --gate',
    )
    .option('--config <file>', 'everything from this file, and no other options')
    .option('--print-config', 'print what --config would take, and run nothing');
  addListeners(command);
  addAccess(command);
  addRules(command);
  return command.action(
    action<GateOptions>(async (output, _args, options) => {
      const input = inputOf(options, command);
      if (options.printConfig && input !== null) {
        output.text(JSON.stringify(input, null, 2));
        output.data(input);
        return;
      }
      const config =
        input === null
          ? readGateConfig(options.config as string)
          : completeGateConfig(input, { where: 'holdfast gate', folder: process.cwd() });
      // A change of primary is what it has to tell, and what clients are to live through.
      outliveOutput();
      const started = await start(config, options.config ?? null, input, output.note);
      const address = String(config.listen.host);
      output.line(`listening on ${address}:${started.port}`);
      output.data({ address, port: started.port, replicaPort: started.replicaPort });
      await started.finished;
      process.exit(0);
    }),
  );
}

function addListeners(command: Command): void {
  command
    .option('--listen <address:port>', 'where clients connect', parseAddress, {
      address: '127.0.0.1',
      port: 6380,
    })
    .option('--replica-listen <address:port>', 'where clients connect that only read', parseAddress)
    .option('--metrics <address:port>', 'serve /metrics, /livez and /readyz there', parseAddress)
    .option('--id <id>', 'what logs, metrics and CLIENT LIST call this gate', 'gate-1');
}

function addAccess(command: Command): void {
  command
    .option('--user <user>', "the gate's own user on the servers (default with a password: default)")
    .option('--password-file <file>', 'its password, in a file that only its owner reads')
    .option('--sentinel-user <user>', 'its user on the Sentinels', 'default')
    .option('--sentinel-password-file <file>', 'its password there')
    .option('--predecessor-user <user>', "the gate's own user at the predecessor")
    .option('--predecessor-password-file <file>', 'its password there')
    .option('--tls-upstream', 'speak TLS to servers and Sentinels')
    .option('--tls-ca <file>', 'certificate of the authority that servers, and clients, are checked against')
    .option('--tls-cert <file>', 'certificate for clients, and towards servers: with it, clients speak TLS')
    .option('--tls-key <file>', 'its key')
    .option('--tls-verify-clients', 'let in only clients with a certificate of that authority')
    .option('--proxy-protocol', 'every connection begins with a PROXY header');
}

function addRules(command: Command): void {
  command
    .option('--hold <duration>', 'how long a command may wait while there is no primary', parseMs, 10_000)
    .addOption(rule('--inflight-writes <rule>', 'unanswered writes', ['fail', 'retry-idempotent']))
    .addOption(rule('--durability <rule>', 'when a write is acknowledged', ['async', 'replicated']))
    .option('--max-lag <duration>', 'replicas further behind get no reads', parseMs, 10_000)
    .addOption(rule('--replica-fallback <rule>', 'reads while no replica is fit', ['primary', 'error']))
    .option('--workers <n>', 'processes that share the listeners', parseWorkers, 1)
    .option('--limit <name=value>', `may be given again: ${limitNames}`, parseLimit, {});
}

function rule(flags: string, about: string, choices: [string, string]): Option {
  return new Option(flags, about).choices(choices).default(choices[0]);
}

/** Null when everything stands in a file. @throws GATE_OPTIONS */
function inputOf(options: GateOptions, command: Command): GateFileInput | null {
  const given = command.options
    .filter((option) => command.getOptionValueSource(option.attributeName()) === 'cli')
    .filter((option) => !['config', 'json', 'color'].includes(option.attributeName()))
    .map(({ long }) => long);
  const hint = '`holdfast gate --help` lists the options; docs/running/gate-alone.md has examples.';
  if (options.config !== undefined) {
    if (given.length === 0) return null;
    throw BadGateOptions(`--config stands alone, without ${given.join(', ')}`, { hint });
  }
  const { sentinel, upstream, name } = options;
  if (sentinel !== undefined && upstream !== undefined) {
    throw BadGateOptions(
      '--upstream and --sentinel exclude each other: leave out the one that is not behind the gate',
      {
        hint,
      },
    );
  }
  if (sentinel === undefined && upstream === undefined) {
    throw BadGateOptions('say what is behind the gate: --sentinel with --name, or --upstream, or --config', {
      hint,
    });
  }
  if (sentinel !== undefined && name === undefined) {
    throw BadGateOptions("--sentinel needs --name: what the Sentinels call the primary, such as 'mymaster'", {
      hint,
    });
  }
  if (options.predecessor !== undefined && options.control === undefined) {
    throw BadGateOptions(
      '--predecessor needs --control: a socket on which the gate is told to move its clients',
      {
        hint,
      },
    );
  }
  if ((options.tlsCert === undefined) !== (options.tlsKey === undefined)) {
    throw BadGateOptions('--tls-cert and --tls-key belong together', { hint });
  }
  return gateInput(options);
}

interface Started {
  port: number;
  replicaPort: number | null;
  finished: Promise<void>;
}

async function start(
  config: GateConfig,
  file: string | null,
  input: GateFileInput | null,
  log: (text: string) => void,
): Promise<Started> {
  const { Gate } = await import('../gate/gate.ts');
  const { WorkerPool } = await import('../gate/control/workers.ts');
  if (config.workers > 1) readyForWorkers(file, input);
  const gate = config.workers > 1 ? new WorkerPool(config, log) : new Gate(config, log);
  try {
    await gate.start();
  } catch (error) {
    gate.stop();
    throw error;
  }
  const drain = () => gate.drain({ graceMs: config.holdMs });
  process.once('SIGTERM', drain).once('SIGINT', drain);
  const configured = { port: config.listen.port, replicaPort: config.replicaListen?.port ?? null };
  return { ...(gate instanceof Gate ? gate.ports : configured), finished: gate.finished };
}

/**
 * Workers are processes of the gate's own program, which reads a file. Where options say everything there is none: each gets it in
 * its environment, which leaves nothing behind however this ends. It names the files of passwords and holds none.
 */
function readyForWorkers(file: string | null, input: GateFileInput | null): void {
  const exec = fileURLToPath(new URL('../gate/main.js', import.meta.url));
  if (file === null) process.env[configVariable] = JSON.stringify(input);
  cluster.setupPrimary({ exec, args: file === null ? [] : ['--config', path.resolve(file)] });
}

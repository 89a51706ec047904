import { type Command, InvalidArgumentError } from 'commander';
import { parseDuration } from '../base/duration.ts';
import type { GateConfigInput } from '../gate/config.ts';
import { action, type CommonOptions, verb } from './verb.ts';

interface Address {
  address: string;
  port: number;
}

interface GateOptions extends CommonOptions {
  listen: Address;
  upstream: Address;
  hold: number;
  inflightWrites: 'fail' | 'retry-idempotent';
}

/** `holdfast gate`: the gate alone, for one plain Redis, without an agent and Sentinels. */
export function gateVerb(): Command {
  return verb('gate', 'run the gate alone, in front of one Redis', [
    ['holdfast gate --upstream 127.0.0.1:6379', 'listen on 127.0.0.1:6380'],
    [
      'holdfast gate --listen 0.0.0.0:6380 --upstream 10.0.0.5:6379 --hold 30s',
      'clients wait through a restart of it',
    ],
  ])
    .option('--listen <address:port>', 'where clients connect', parseAddress, {
      address: '127.0.0.1',
      port: 6380,
    })
    .requiredOption('--upstream <address:port>', 'the Redis behind it', parseAddress)
    .option('--hold <duration>', 'how long a command may wait while that Redis is away', parseHold, 10_000)
    .option('--inflight-writes <rule>', 'fail, or retry-idempotent', parseRule, 'fail')
    .action(
      action<GateOptions>(async (output, _args, options) => {
        const { gateConfig } = await import('../gate/config.ts');
        const { Gate } = await import('../gate/gate.ts');
        const gate = new Gate(gateConfig(configOf(options)), output.note);
        try {
          await gate.start();
        } catch (error) {
          gate.stop();
          throw error;
        }
        const drain = () => gate.drain({ graceMs: options.hold });
        process.once('SIGTERM', drain).once('SIGINT', drain);
        const { address } = options.listen;
        output.line(`listening on ${address}:${gate.ports.port}`);
        output.data({ address, port: gate.ports.port });
        await gate.finished;
        process.exit(0);
      }),
    );
}

function configOf({ listen, upstream, hold, inflightWrites }: GateOptions): GateConfigInput {
  return {
    deployment: 'standalone',
    id: 'gate-1',
    listen: { host: listen.address, port: listen.port },
    members: [{ id: `${upstream.address}:${upstream.port}`, ...upstream }],
    holdMs: hold,
    inflightWrites,
  };
}

function parseAddress(text: string): Address {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (!match || port > 65_535) throw new InvalidArgumentError('Say address:port, as in 127.0.0.1:6379.');
  return { address: (match[1] ?? match[2]) as string, port };
}

function parseHold(text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined) throw new InvalidArgumentError('Say a duration, as in 500ms, 10s or 1m.');
  return ms;
}

function parseRule(text: string): string {
  if (text !== 'fail' && text !== 'retry-idempotent') {
    throw new InvalidArgumentError('Say fail or retry-idempotent.');
  }
  return text;
}

import { apiAddressHere } from '../../spec/api-address.ts';
import type { Host, Spec } from '../../spec/spec.ts';
import { usualUser } from '../../spec/usual-user.ts';
import { commonArguments, hostsOf, installedSpec, installedState, program } from '../installed.ts';
import type { Target, TargetInput } from '../target.ts';

/**
 * Monit in place of systemd as the agent's guard. It starts a missing agent and kills one that no longer answers; it
 * never stops or restarts Redis, which is the agent's business: a new agent adopts what runs.
 */
export const monitTarget: Target = {
  name: 'monit',
  summary: 'a Monit configuration for the agent of each host',
  options: [
    { name: 'port', about: "port of Monit's own page, on loopback", default: '2812' },
    { name: 'user', about: 'user and group that the agent runs as', default: usualUser },
    { name: 'interval', about: 'seconds between checks', default: '5' },
  ],
  render(input) {
    const { spec } = input;
    const options = { ...input.options, user: userOf(input) };
    return hostsOf(input).map(({ host, prefix }) => ({
      name: `${prefix}monitrc`,
      text: monitrc(spec, host, options),
      secret: true,
    }));
  },
};

/** Monit starts programs with a bare environment: the PATH in which Node.js and Redis are found has to be said. */
const environment = '/usr/bin/env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** The usual one stands for whom the spec names. */
function userOf({ spec, options }: TargetInput): string {
  const { user = usualUser } = options;
  return user === usualUser ? spec.runAs : user;
}

function monitrc(spec: Spec, host: Host, options: Record<string, string>): string {
  const name = `holdfast-${spec.name}`;
  const state = installedState(spec);
  // In the order in which a detached agent has them: Monit knows it by its command line.
  const args = [installedSpec(spec), '--host', host.id, '--state-dir', state];
  const apiHost = apiAddressHere(spec);
  return [
    `# Monit for the agent of ${spec.name} on host ${host.id}, made by holdfast. Monit wants mode 0600 or 0700.`,
    `set daemon ${options['interval']}`,
    'set log syslog',
    "# Monit's own page and its command line, for this machine only.",
    `set httpd port ${options['port']} and`,
    '    use address 127.0.0.1',
    '    allow localhost',
    '',
    `check process ${name} matching ${quoted(`holdfast(/cli/main\\.js)? up ${pattern(args.join(' '))} --wait`)}`,
    `    start program = ${quoted(`${environment} ${program} up ${args.join(' ')} --detach`)}`,
    `        as uid ${options['user']} and gid ${options['user']} with timeout 90 seconds`,
    '    # Stopping is meant for people (monit stop): it stops what this host runs, replicas first.',
    `    stop program = ${quoted(`${environment} ${program} down ${commonArguments(spec).join(' ')}`)}`,
    `        as uid ${options['user']} and gid ${options['user']} with timeout 600 seconds`,
    '    # An agent that no longer answers is killed, and started by the next check. Not `restart`: that would stop Redis.',
    `    if failed host ${apiHost} port ${spec.agent.port} protocol ${spec.agent.tls ? 'https' : 'http'} request "/" with timeout 5 seconds for 6 cycles`,
    '        then exec "/bin/sh -c \'kill -KILL $MONIT_PROCESS_PID\'"',
    '    if 5 restarts within 20 cycles then unmonitor',
    '',
    '# Disk, memory, replication, quorum and the rest: exit status 3 means that something is critical.',
    `check program ${name}-doctor with path ${quoted(`${environment} ${program} doctor ${args.join(' ')}`)}`,
    `    as uid ${options['user']} and gid ${options['user']} with timeout 60 seconds`,
    '    every 60 cycles',
    '    if status == 3 then alert',
    '',
    `check system ${name}-host`,
    '    if memory usage > 90% for 12 cycles then alert',
    '    if swap usage > 20% for 12 cycles then alert',
    '',
  ].join('\n');
}

/** Monit's strings have no escapes: one kind of quote around text without it. */
function quoted(text: string): string {
  return text.includes('"') ? `'${text}'` : `"${text}"`;
}

/** Text as a POSIX regular expression. */
function pattern(text: string): string {
  return text.replaceAll(/[.[\]{}()*+?^$|\\]/g, '\\$&');
}

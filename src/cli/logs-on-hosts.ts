/** `holdfast logs` of all hosts together: each reads its own, what they say is put in order here. */
import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { errorFromJson } from '../base/error-wire.ts';
import { errorText } from '../base/errors.ts';
import { pause } from '../base/retry.ts';
import { holdfastThere } from '../fleet/answering-host.ts';
import { RemoteFailed } from '../fleet/errors.ts';
import { SshConnections, type SshHost } from '../fleet/ssh/connections.ts';
import type { Spec } from '../spec/spec.ts';
import { followPrinter, inOrder, type LoggedLine, parseLoggedLine, printer } from './logged-line.ts';
import type { Output } from './output.ts';

interface Asked {
  /** Of one process only. */
  id: string | undefined;
  last: number;
  follow: boolean;
}

/** How long lines wait for earlier ones of slower hosts. */
const gatherMs = 500;
const againMs = 2000;

export async function logsOfHosts(output: Output, spec: Spec, asked: Asked): Promise<number> {
  const connections = new SshConnections(spec);
  const hosts = spec.hosts.map((host) => connections.host(host));
  try {
    return asked.follow
      ? await follow(output, spec, hosts, asked)
      : await showPast(output, spec, hosts, asked);
  } finally {
    await connections.close();
  }
}

function command(spec: Spec, { id, last, follow }: Asked): string {
  const verb = id === undefined ? ['logs'] : ['logs', id];
  return holdfastThere(spec, verb, ['--last', String(last), '--json', ...(follow ? ['--follow'] : [])]);
}

/** What the others have is shown when one can't be asked. */
async function showPast(
  output: Output,
  spec: Spec,
  hosts: readonly SshHost[],
  asked: Asked,
): Promise<number> {
  const told = await Promise.allSettled(hosts.map((host) => pastOf(spec, host, asked)));
  const failed = told.flatMap((each) => (each.status === 'rejected' ? [each.reason as unknown] : []));
  if (failed.length === told.length) throw failed[0];
  for (const error of failed) output.note(`${output.colors.yellow('warning:')} ${errorText(error)}`);
  const all = inOrder(told.flatMap((each) => (each.status === 'fulfilled' ? each.value : [])));
  const past = asked.last === 0 ? [] : all.slice(-asked.last);
  output.data(past);
  past.forEach(printer(output));
  return failed.length === 0 ? 0 : 1;
}

async function pastOf(spec: Spec, host: SshHost, asked: Asked): Promise<LoggedLine[]> {
  const { status, stdout, stderr } = await host.ask(command(spec, asked), {
    as: 'holdfast',
    doing: 'reading its logs',
  });
  const answer = parsed(stdout);
  if (status === 0 && Array.isArray(answer)) return answer.flatMap((line) => lineOf(host, line));
  const { error } = (answer ?? {}) as { error?: unknown };
  const said = error === undefined ? null : errorFromJson(error);
  // The question was wrong, wherever it is asked.
  if (said?.exitStatus === 2) throw said;
  const why = said?.message ?? stderr.trim().split('\n')[0] ?? '';
  throw RemoteFailed(`host ${host.id}: reading its logs failed: ${why}`);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function lineOf({ id }: SshHost, value: unknown): LoggedLine[] {
  const line = parseLoggedLine(value);
  if (line === undefined) return [];
  return [line.process === 'agent' ? { ...line, process: `agent on ${id}` } : line];
}

/** Until Ctrl-C. A host that is lost is asked again, and goes on where it stopped. */
async function follow(output: Output, spec: Spec, hosts: readonly SshHost[], asked: Asked): Promise<number> {
  const print = followPrinter(output);
  const waiting: LoggedLine[] = [];
  const take = (line: LoggedLine) => waiting.push(line);
  for (const host of hosts) void followHost(output, spec, host, asked, take);
  for (;;) {
    await pause(gatherMs);
    for (const line of inOrder(waiting.splice(0))) print(line);
  }
}

async function followHost(
  output: Output,
  spec: Spec,
  host: SshHost,
  asked: Asked,
  take: (line: LoggedLine) => void,
): Promise<never> {
  let seen = '';
  let lost = false;
  for (;;) {
    const child = host.start(command(spec, asked), 'holdfast');
    // Its end tells the host that nobody reads any more.
    const stderr = heard(child);
    for await (const text of createInterface({ input: child.stdout as Readable })) {
      for (const line of linesIn(host, text)) {
        if (lost && line.at <= seen) continue;
        seen = line.at;
        take(line);
      }
    }
    output.note(
      `${output.colors.yellow('warning:')} host ${host.id}: ${stderr() || 'the connection ended'}; asked again`,
    );
    lost = true;
    await pause(againMs);
  }
}

function linesIn(host: SshHost, text: string): LoggedLine[] {
  return lineOf(host, parsed(text));
}

function heard(child: ChildProcess): () => string {
  let said = '';
  child.once('error', (error) => {
    said = errorText(error);
  });
  child.stderr?.setEncoding('utf8').on('data', (piece: string) => {
    said = `${said}${piece}`.slice(-1000);
  });
  return () => said.trim().split('\n').at(-1) ?? '';
}

/** Runs a verb where the deployment runs: loaded only when that is on other machines. */
import { createReadStream, existsSync } from 'node:fs';
import path from 'node:path';
import type { Status } from '../agent/api/status-answer.ts';
import { OperationAborted } from '../agent/errors.ts';
import { errorText } from '../base/errors.ts';
import { answeringHost, holdfastThere } from '../fleet/answering-host.ts';
import { shellLine, shellWord } from '../fleet/shell.ts';
import { type RunResult, SshConnections, type SshHost } from '../fleet/ssh/connections.ts';
import { installedState } from '../render/installed.ts';
import type { Spec } from '../spec/spec.ts';
import type { Where } from './elsewhere.ts';
import { interruptible } from './interrupt.ts';
import type { Output } from './output.ts';

const uploadMs = 3_600_000;

interface OnHosts {
  spec: Spec;
  where: Where;
  /** The command line there, its program first. */
  words: readonly string[];
  /** The process that the command names, if it names one. */
  about: string | null;
}

/** @returns the exit status; of several, the worst */
export async function runOnHosts(asked: OnHosts, output: Output): Promise<number> {
  const connections = new SshConnections(asked.spec);
  try {
    const { spec, where, words, about } = asked;
    if (where === 'every-host') return await onEveryHost(asked, connections, output);
    if (where === 'in-turn' || (where === 'owner' && about === null))
      return await inTurn(asked, connections, output);
    const answering = await answeringHost(spec, connections);
    const owner = where === 'owner' && about !== null ? await ownerOf(spec, answering, about) : undefined;
    const host = owner ? connections.host(owner) : answering;
    if (words[1] === 'restore' && about !== null && existsSync(about))
      return await lendFile(spec, host, words, about);
    return await host.lend(lineThere(words), 'holdfast');
  } finally {
    await connections.close();
  }
}

/** A file of this machine lies on the host for as long as the command runs there. */
async function lendFile(spec: Spec, host: SshHost, words: readonly string[], file: string): Promise<number> {
  const folder = `${installedState(spec)}/scratch`;
  const options = { as: 'holdfast', doing: `bringing ${path.basename(file)} there` } as const;
  const script = `umask 077; mkdir -p ${folder} && there=$(mktemp ${folder}/brought-XXXXXX) && cat > "$there" || { rm -f "$there"; exit 1; }
echo "$there"`;
  const said = await host.run(script, { ...options, input: createReadStream(file), timeoutMs: uploadMs });
  const there = said.trim();
  try {
    return await host.lend(lineThere(words.map((word) => (word === file ? there : word))), 'holdfast');
  } finally {
    await host.run(`rm -f ${shellWord(there)}`, { ...options, doing: 'removing what was brought there' });
  }
}

/** For those verbs that need to be told which host they are on. */
function wordsOn(host: string, words: readonly string[]): readonly string[] {
  return words[1] === 'doctor' || words[1] === 'down' ? [...words, '--host', host] : words;
}

/** All at once, and what each said under its name. */
async function onEveryHost(
  { spec, words }: OnHosts,
  connections: SshConnections,
  output: Output,
): Promise<number> {
  const ask = async (host: Spec['hosts'][number]): Promise<Said> => {
    const doing = `holdfast ${words[1]}`;
    const line = lineThere(wordsOn(host.id, words));
    // What one that can't be reached would have said is missing, and what the others say is told.
    const result = await connections
      .host(host)
      .ask(line, { as: 'holdfast', doing })
      .catch((error: unknown) => ({ status: 1, stdout: '', stderr: errorText(error) }));
    return { host: host.id, ...result };
  };
  return show(await Promise.all(spec.hosts.map(ask)), output);
}

/** One host after the other, the primary's last; the first that fails ends it. */
async function inTurn(
  { spec, words }: OnHosts,
  connections: SshConnections,
  output: Output,
): Promise<number> {
  const { primary, members } = await statusThere(spec, await answeringHost(spec, connections));
  const last = members.find(({ id }) => id === primary)?.host;
  const all = spec.hosts.filter(({ id }) => spec.members.some(({ host }) => host === id));
  const said: Said[] = [];
  const inOrder = [...all.filter(({ id }) => id !== last), ...all.filter(({ id }) => id === last)];
  const doing = `holdfast ${words[1]}`;
  return await interruptible(async (signal) => {
    for (const [index, host] of inOrder.entries()) {
      const asked = connections
        .host(host)
        .ask(lineThere(wordsOn(host.id, words)), { as: 'holdfast', doing, timeoutMs: 600_000 });
      // Ctrl-C ends ssh as well, and not what it has begun there.
      const result = await asked.catch((error: unknown) => {
        throw signal.aborted ? interruptedAt(doing, inOrder, index, error) : error;
      });
      said.push({ host: host.id, ...result });
      if (signal.aborted) throw interruptedAt(doing, inOrder, index, signal.reason);
      if (result.status !== 0) break;
    }
    return show(said, output);
  });
}

function interruptedAt(
  doing: string,
  hosts: readonly { id: string }[],
  index: number,
  cause: unknown,
): Error {
  const left = hosts.slice(index + 1).map(({ id }) => id);
  const others =
    left.length === 0 ? '' : `, and ${left.join(', ')} ${left.length === 1 ? 'was' : 'were'} not asked`;
  return OperationAborted(
    `${doing} was interrupted at host ${hosts[index]?.id}: what has begun there goes on to its end${others}`,
    { hint: 'holdfast status shows what there is now. It can be asked for again.', cause },
  );
}

interface Said extends RunResult {
  host: string;
}

function show(said: readonly Said[], output: Output): number {
  for (const { host, stdout, stderr } of said) {
    output.line(output.colors.bold(`host ${host}`));
    for (const line of stdout.trimEnd().split('\n')) output.line(`  ${line}`);
    if (stderr.trim() !== '') output.note(stderr.trimEnd().replaceAll(/^/gm, `${host}: `));
  }
  if (output.json) {
    const answers = said.map(({ host, stdout }) => [host, stdout === '' ? null : JSON.parse(stdout)]);
    output.data(Object.fromEntries(answers));
  }
  return Math.max(...said.map(({ status }) => status));
}

/** By what runs: ids are given when hosts come, and kept. Undefined for one that is not there: whoever is asked says so. */
async function ownerOf(spec: Spec, host: SshHost, id: string): Promise<Spec['hosts'][number] | undefined> {
  const { members, sentinels, gates } = await statusThere(spec, host);
  const place = [...members, ...sentinels, ...gates].find((each) => each.id === id);
  return spec.hosts.find((each) => each.id === place?.host);
}

async function statusThere(spec: Spec, host: SshHost): Promise<Status> {
  const command = holdfastThere(spec, ['status'], ['--json']);
  return JSON.parse((await host.ask(command, { as: 'holdfast', doing: 'its status' })).stdout) as Status;
}

function lineThere(words: readonly string[]): string {
  return `cd / && exec ${shellLine(words)}`;
}

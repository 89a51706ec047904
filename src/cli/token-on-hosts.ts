/** A token that is valid on every host: made on one, and given to the others by standard input. */
import type { TokenRole } from '../agent/access/tokens.ts';
import { holdfastThere } from '../fleet/answering-host.ts';
import { RemoteFailed } from '../fleet/errors.ts';
import { SshConnections, type SshHost } from '../fleet/ssh/connections.ts';
import type { Spec } from '../spec/spec.ts';
import type { Output } from './output.ts';

export async function makeOnHosts(output: Output, spec: Spec, name: string, role: TokenRole): Promise<void> {
  const connections = new SshConnections(spec);
  const [first, ...others] = spec.hosts.map((host) => connections.host(host));
  const verb = ['token', 'make', name];
  const options = ['--role', role, '--json'];
  try {
    const token = await tokenOf(first as SshHost, holdfastThere(spec, verb, options));
    const given = holdfastThere(spec, verb, [...options, '--given']);
    const told = await Promise.allSettled(others.map((host) => tokenOf(host, given, `${token}\n`)));
    output.line(token);
    output.data({ name, role, token });
    output.note('It is shown this once.');
    const failed = told.find(({ status }) => status === 'rejected');
    if (failed?.status === 'rejected') throw failed.reason;
  } finally {
    await connections.close();
  }
}

async function tokenOf(host: SshHost, command: string, input = ''): Promise<string> {
  const { stdout, stderr } = await host.ask(command, { as: 'holdfast', doing: 'making a token', input });
  const answer = parsed(stdout);
  if (typeof answer.token === 'string') return answer.token;
  const why = answer.error?.message ?? stderr.trim().split('\n')[0] ?? '';
  throw RemoteFailed(`host ${host.id}: making a token failed: ${why}`, {
    hint: 'It is valid on the hosts that did not fail. holdfast token revoke takes it away everywhere.',
  });
}

function parsed(stdout: string): { token?: unknown; error?: { message: string } } {
  try {
    return JSON.parse(stdout) as { token?: unknown };
  } catch {
    return {};
  }
}

import { existsSync, readFileSync } from 'node:fs';
import { type Command, Option } from 'commander';
import { type TokenRole, Tokens } from '../agent/access/tokens.ts';
import { NotRunning } from '../agent/errors.ts';
import { loadSecrets, type Secrets } from '../spec/secrets.ts';
import type { Spec } from '../spec/spec.ts';
import { specElsewhere } from './elsewhere.ts';
import { BadOption } from './errors.ts';
import { table } from './table.ts';
import { openTarget } from './target.ts';
import { action, type CommonOptions, specArgument, stateDirOption, verb } from './verb.ts';

interface TokenOptions extends CommonOptions {
  stateDir?: string;
  role?: string;
  given?: boolean;
}

/** `holdfast token`: who may use the API of this host's agent, or, by ssh, of all. The agents notice each change by themselves. */
export function tokenVerb(): Command {
  const group = verb('token', 'access to the API: show, make and revoke tokens', [
    ['holdfast token show', 'names and roles'],
    ['holdfast token make alice --role operate', 'one that may change something, printed once'],
    ['holdfast token revoke alice', 'at once, with every session that was opened with it'],
  ]);
  for (const make of [showVerb, makeVerb, revokeVerb, clientVerb]) group.addCommand(make());
  return group;
}

function showVerb(): Command {
  return verb('show', 'list the tokens that are valid on this host, or print one of the deployment’s own', [
    ['holdfast token show', 'names and roles'],
    ['holdfast token show --role operate', 'the token itself, for a script'],
  ])
    .argument(...specArgument)
    .option('--role <role>', 'print the deployment’s own token of this role: read or operate')
    .addOption(stateDirOption())
    .action(
      action<TokenOptions>(async (output, [file = ''], options) => {
        const { tokens, secrets } = await openTokens(file, options);
        if (options.role === undefined) {
          const all = tokens.all().map(({ name, role, madeAt }) => ({ name, role, madeAt }));
          const rows = all.map(({ name, role, madeAt }) => [name, role, madeAt ?? 'from the secret']);
          for (const line of table([['NAME', 'ROLE', 'MADE'], ...rows])) output.line(line);
          output.data(all);
          return;
        }
        const role = roleOf(options.role);
        if (tokens.named(role) === undefined) {
          throw BadOption(`the deployment’s own token of the role ${role} was revoked on this host`, {
            hint: `holdfast token make NAME --role ${role} makes another, of another name.`,
          });
        }
        const token = role === 'read' ? secrets.apiToken : secrets.apiOperateToken;
        output.line(token);
        output.data({ name: role, role, token });
      }, 'any-host'),
    );
}

function makeVerb(): Command {
  return verb('make', 'make a token for a person or a program, valid on this host', [
    ['holdfast token make alice --role operate', 'printed once; only a digest is kept'],
  ])
    .argument('<name>', 'whose it is, for the record of who asked for what')
    .argument(...specArgument)
    .requiredOption('--role <role>', 'read: look. operate: change something')
    .addOption(
      new Option('--given', 'take one that was made on another host, from standard input').hideHelp(),
    )
    .addOption(stateDirOption())
    .action(
      action<TokenOptions>(async (output, [name = '', file = ''], options) => {
        const role = roleOf(options.role ?? '');
        const elsewhere = await specElsewhere(file, options);
        if (elsewhere !== null)
          return (await import('./token-on-hosts.ts')).makeOnHosts(output, elsewhere, name, role);
        const { tokens } = await openTokens(file, options);
        const given = options.given ? readFileSync(0, 'utf8').trim() : undefined;
        const token = await tokens.make(name, role, Date.now(), given);
        output.line(token);
        output.data({ name, role, token });
        output.note('It is shown this once.');
        return;
      }),
    );
}

function revokeVerb(): Command {
  return verb('revoke', 'take a token away, and every session that was opened with it', [
    ['holdfast token revoke alice', 'at once'],
    ['holdfast token revoke operate', 'the deployment’s own, on this host'],
  ])
    .argument('<name>', 'as holdfast token show lists it')
    .argument(...specArgument)
    .addOption(stateDirOption())
    .action(
      action<TokenOptions>(async (output, [name = '', file = ''], options) => {
        const { tokens } = await openTokens(file, options);
        await tokens.revoke(name);
        output.line(`${name} is not valid on this host any more`);
        output.data({ revoked: name });
      }, 'every-host'),
    );
}

function clientVerb(): Command {
  return verb('client', 'print the password of clients, where it is derived: hosts, and no security.users', [
    ['holdfast token client prod.yaml', 'what a client logs in with, without a user name'],
    ['redis-cli --askpass -h HOST -p 6380', 'and give it there, or put it into REDISCLI_AUTH'],
  ])
    .argument(...specArgument)
    .addOption(stateDirOption())
    .action(
      action<TokenOptions>(async (output, [file = ''], options) => {
        const { secrets, spec } = await openTokens(file, options);
        const password = derivedPassword(spec, secrets);
        output.line(password);
        output.data({ user: 'default', password, formerPassword: secrets.beside?.defaultPassword ?? null });
      }, 'any-host'),
    );
}

/** @throws BAD_OPTION where clients have none, or have some of their own */
export function derivedPassword(spec: Spec, { defaultPassword }: Secrets): string {
  const names = spec.security.users.map(({ name }) => name);
  if (names.length > 0) {
    throw BadOption(`clients of ${spec.name} have passwords that the spec names: ${names.join(', ')}`, {
      hint: 'They are where security.users says.',
    });
  }
  if (defaultPassword === null) {
    throw BadOption(`clients of ${spec.name} need no password: it has no hosts and no security.users`, {
      hint: 'Everything listens on loopback only.',
    });
  }
  return defaultPassword;
}

async function openTokens(file: string, options: TokenOptions) {
  const { spec, paths } = await openTarget(file, options);
  // Looking makes no secret: another one than the deployment's would be of no use.
  if (spec.security.secret === null && !existsSync(paths.secret)) {
    throw NotRunning(`${spec.name} was never started on this host: it has no secret in ${paths.root}`, {
      hint: 'holdfast up starts it. If its state is elsewhere, name that with --state-dir.',
    });
  }
  const secrets = await loadSecrets(spec, paths.secret);
  return { tokens: new Tokens(paths, secrets), secrets, spec };
}

function roleOf(text: string): TokenRole {
  if (text === 'read' || text === 'operate') return text;
  throw BadOption(`--role ${text} is none`, { hint: 'Say read or operate.' });
}

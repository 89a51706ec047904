import type { Command } from 'commander';
import { collectWhole } from './rdb-options.ts';
import { action, type CommonOptions, specArgument, stateDirOption, verb } from './verb.ts';

interface RotateOptions extends CommonOptions {
  yes?: boolean;
  finish?: boolean;
  user?: string[];
  stateDir?: string;
}

/** `holdfast rotate`: other passwords, while everything runs. */
export function rotateVerb(): Command {
  const group = verb('rotate', 'change passwords while everything runs, without an error for any client', [
    ['holdfast rotate secret prod.yaml', 'every password of holdfast’s own, on hosts reached by ssh'],
    ['holdfast rotate secret prod.yaml --finish', 'the old client password is valid no more'],
    ['holdfast rotate users prod.yaml', 'those of security.users, which lie in files'],
  ]);
  return group.addCommand(secretVerb()).addCommand(usersVerb());
}

function secretVerb(): Command {
  return verb('secret', 'make a new secret, and with it every password that is derived from it', [
    ['holdfast rotate secret prod.yaml', 'old and new are valid side by side, then the old ones gone'],
    ['holdfast rotate secret prod.yaml --finish', 'when every client has the new password'],
  ])
    .argument(...specArgument)
    .option('-y, --yes', 'do not ask')
    .option('--finish', 'make the old password of clients invalid')
    .action(
      action<RotateOptions>(async (output, [file = ''], options) =>
        (await import('./rotate-on-hosts.ts')).rotateOnHosts(output, file, options),
      ),
    );
}

function usersVerb(): Command {
  return verb('users', 'give users of applications new passwords, valid beside the present ones', [
    ['holdfast rotate users prod.yaml', 'a new one into each file that the spec names; apply brings it'],
    ['holdfast rotate users prod.yaml --user app', 'of one user; repeat it for more'],
    ['holdfast rotate users prod.yaml --finish', 'when every client has the new one'],
  ])
    .argument(...specArgument)
    .option('-y, --yes', 'do not ask')
    .option('--user <name>', 'only this user; repeat it for more', collectWhole)
    .option('--finish', 'make the former passwords invalid')
    .addOption(stateDirOption())
    .action(
      action<RotateOptions>(async (output, [file = ''], options) =>
        (await import('./rotate-users.ts')).rotateUsers(output, file, options),
      ),
    );
}

import type { Command } from 'commander';
import { action, type CommonOptions, specArgument, verb } from './verb.ts';

interface RotateOptions extends CommonOptions {
  yes?: boolean;
  finish?: boolean;
}

/** `holdfast rotate`: other passwords, while everything runs. */
export function rotateVerb(): Command {
  const group = verb('rotate', 'change passwords while everything runs, without an error for any client', [
    ['holdfast rotate secret prod.yaml', 'every password of holdfast’s own, on hosts reached by ssh'],
    ['holdfast rotate secret prod.yaml --finish', 'the old client password is valid no more'],
  ]);
  return group.addCommand(secretVerb());
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

import type { Command } from 'commander';
import { type VerifyChoices, verifySides, withVerifyChoices } from './compare-sides.ts';
import { BadOption } from './errors.ts';
import { openSides, type SidesOptions, withSides } from './migrate-sides.ts';
import { verifyMigration } from './migrate-verify-own.ts';
import type { Output } from './output.ts';
import { action, type CommonOptions, verb } from './verb.ts';

interface VerifyVerbOptions extends CommonOptions, SidesOptions, VerifyChoices {}

/**
 * `holdfast migrate verify`: two servers key by key, while writes may go on; or what the migration moves.
 * @param place where a migration's state lies unless another place is named
 */
export function migrateVerifyVerb(place: string): Command {
  return withSides(
    withVerifyChoices(
      verb('verify', 'compare two servers key by key: types, values and expiries; exit 1 when they differ', [
        ['holdfast migrate verify', 'what the migration moves: its sources, under the names that they get'],
        [
          'holdfast migrate verify redis://10.0.1.7:6379 holdfast.yaml',
          'a source against a deployment, by its gate',
        ],
        [
          'holdfast migrate verify redis://a:6379 redis://b:6379 --sample 100000',
          'some keys of each, by chance',
        ],
        [
          'holdfast migrate verify redis://a:6379 holdfast.yaml --repair',
          'the source’s value where they differ',
        ],
      ])
        .argument(
          '[source]',
          'redis://[user@]host:port, rediss://…, sentinel://host:port/NAME, or a spec; none: the migration’s own, and --state-dir is where its state lies',
        )
        .argument('[target]', 'the same'),
    ),
  ).action(
    action<VerifyVerbOptions>((output, [source, target], options) => {
      if (source === undefined) return verifyMigration(output, place, options);
      if (target === undefined)
        throw BadOption(`${source} is to be compared with nothing`, {
          hint: 'Name both sides; or none, for what the migration moves.',
        });
      return verifyServers(output, source, target, options);
    }),
  );
}

async function verifyServers(
  output: Output,
  from: string,
  to: string,
  options: VerifyVerbOptions,
): Promise<number> {
  return await verifySides(output, await openSides(from, to, options), options);
}

import type { Command } from 'commander';
import type { Difference } from '../migrate/verify/verify.ts';
import { quoteKey } from '../rdb/errors.ts';
import type { ConnectionOptions } from '../redis/connection.ts';
import { describeEndpoint } from '../redis/endpoint.ts';
import { interruptible } from './interrupt.ts';
import { openSides, type SidesOptions, withSides } from './migrate-sides.ts';
import type { Output } from './output.ts';
import { ProgressLine } from './progress-line.ts';
import { wholeNumber } from './rdb-options.ts';
import { keyAsJson } from './rdb-report.ts';
import { action, type CommonOptions, verb } from './verb.ts';

export interface VerifyChoices {
  sample?: number;
  repair?: boolean;
  /** How many differences are shown; 0 for all. */
  limit: number;
}

interface VerifyVerbOptions extends CommonOptions, SidesOptions, VerifyChoices {}

/** Adds what both verbs that compare take. */
export function withVerifyChoices(command: Command): Command {
  return command
    .option('--sample <n>', 'so many keys of each side, by chance, instead of all', wholeNumber)
    .option('--repair', 'write the source’s value over one that differs; delete what only the target has')
    .option('--limit <n>', 'how many differences to show; 0 for all', wholeNumber, 100);
}

/** `holdfast migrate verify`: two servers key by key, while writes may go on. */
export function migrateVerifyVerb(): Command {
  return withSides(
    withVerifyChoices(
      verb('verify', 'compare two servers key by key: types, values and expiries; exit 1 when they differ', [
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
        .argument('<source>', 'redis://[user@]host:port, rediss://…, sentinel://host:port/NAME, or a spec')
        .argument('<target>', 'the same'),
    ),
  ).action(
    action<VerifyVerbOptions>((output, [source = '', target = ''], options) =>
      verifyServers(output, source, target, options),
    ),
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

/** Compares, tells, and repairs where that is wanted. @returns the exit status */
export async function verifySides(
  output: Output,
  { source, target }: { source: ConnectionOptions; target: ConnectionOptions },
  options: VerifyChoices,
  isCompared?: (key: Buffer) => boolean,
): Promise<number> {
  const { verify } = await import('../migrate/verify/verify.ts');
  const { openSource } = await import('../migrate/open-source.ts');
  const read = await openSource(source);
  const progress = new ProgressLine(output);
  const shown: Difference[] = [];
  const limit = options.limit === 0 ? Number.POSITIVE_INFINITY : options.limit;
  const result = await interruptible((signal) =>
    verify({
      source: read,
      target,
      sample: options.sample,
      repair: options.repair === true,
      signal,
      ...(isCompared === undefined ? {} : { isCompared }),
      onProgress: (checked, total) => progress.show(() => `verify: ${checked} of about ${total} keys`),
      onDifference: (difference) => {
        if (!difference.unsettled && shown.length < limit) shown.push(difference);
      },
    }),
  ).finally(() => {
    progress.done();
    read.close();
  });
  for (const each of shown) output.line(describe(output, each));
  const { differing, repaired, compared, lookedFor } = result;
  if (differing > shown.length) {
    output.line(`… and ${differing - shown.length} more; --limit 0 shows all`);
  }
  const sampled = options.sample === undefined ? '' : ' (a sample)';
  output.line(
    `${compared} keys of ${describeEndpoint(source.endpoint)} compared, ${lookedFor} of ` +
      `${describeEndpoint(target.endpoint)} looked for${sampled}: ` +
      (differing === 0
        ? 'no difference'
        : `${differing} differ${differing === 1 ? 's' : ''}, ${repaired} repaired`),
  );
  if (result.unsettled > 0) {
    output.line(
      `${result.unsettled} kept changing while they were looked at: whether they are the same shows when writers rest`,
    );
  }
  const differences = shown.map(({ key, ...rest }) => ({ ...rest, key: keyAsJson(key) }));
  output.data({
    equal: differing === repaired,
    ...result,
    sampled: options.sample !== undefined,
    differences,
  });
  return differing === repaired ? 0 : 1;
}

function describe(output: Output, { db, key, is, how, repaired, left }: Difference): string {
  const { green, red, yellow } = output.colors;
  const place = `${quoteKey(key)} (database ${db}): ${how}`;
  if (repaired) return green(`repaired ${place}`);
  const why = left === undefined ? '' : `; not repaired: ${left}`;
  return (is === 'missing' || is === 'extra' ? red : yellow)(`${is} ${place}${why}`);
}

/** Two sides compared key by key, told and repaired: what `migrate verify` and `mirror diff` do. */
import type { Command } from 'commander';
import type { Difference, VerifyOptions } from '../migrate/verify/verify.ts';
import { quoteKey } from '../rdb/errors.ts';
import type { Kind } from '../rdb/format.ts';
import type { ConnectionOptions } from '../redis/connection.ts';
import { describeEndpoint } from '../redis/endpoint.ts';
import { interruptible } from './interrupt.ts';
import type { Output } from './output.ts';
import { ProgressLine } from './progress-line.ts';
import { wholeNumber } from './rdb-options.ts';
import { keyAsJson } from './rdb-report.ts';

export interface VerifyChoices {
  sample?: number;
  repair?: boolean;
  /** How many differences are shown; 0 for all. */
  limit: number;
}

/** Which keys of the source, and what they are called at the target; all as they are, if omitted. */
export interface VerifyScope
  extends Pick<VerifyOptions, 'isCompared' | 'mapping' | 'keepExtra' | 'whyNotRepaired' | 'repairWith'> {
  /** All, if omitted or empty. */
  types?: readonly Kind[];
}

export interface Compared {
  /** Every difference was repaired, or there was none. */
  isEqual: boolean;
  /** For programs. */
  answer: object;
}

/** Adds what both verbs that compare take. */
export function withVerifyChoices(command: Command): Command {
  return command
    .option('--sample <n>', 'so many keys of each side, by chance, instead of all', wholeNumber)
    .option('--repair', 'write the source’s value over one that differs; delete what only the target has')
    .option('--limit <n>', 'how many differences to show; 0 for all', wholeNumber, 100);
}

/** Compares, tells, and repairs where that is wanted. @returns the exit status */
export async function verifySides(
  output: Output,
  sides: { source: ConnectionOptions; target: ConnectionOptions },
  options: VerifyChoices,
  scope: VerifyScope = {},
): Promise<number> {
  const { isEqual, answer } = await compareSides(output, sides, options, scope);
  output.data(answer);
  return isEqual ? 0 : 1;
}

/** The same without the answer for programs, which several may be in. */
export async function compareSides(
  output: Output,
  { source, target }: { source: ConnectionOptions; target: ConnectionOptions },
  options: VerifyChoices,
  { types, ...scope }: VerifyScope,
): Promise<Compared> {
  const { verify } = await import('../migrate/verify/verify.ts');
  const { openSource } = await import('../migrate/open-source.ts');
  const read = await openSource(source, types);
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
      ...scope,
      onProgress: ({ source, ofSource, target, ofTarget }) =>
        progress.show(() => `verify: ${source + target} of about ${ofSource + ofTarget} keys`),
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
  const isEqual = differing === repaired;
  return {
    isEqual,
    answer: { equal: isEqual, ...result, sampled: options.sample !== undefined, differences },
  };
}

function describe(output: Output, { db, key, is, how, repaired, left }: Difference): string {
  const { green, red, yellow } = output.colors;
  const place = `${quoteKey(key)} (database ${db}): ${how}`;
  if (repaired) return green(`repaired ${place}`);
  const why = left === undefined ? '' : `; not repaired: ${left}`;
  return (is === 'missing' || is === 'extra' ? red : yellow)(`${is} ${place}${why}`);
}

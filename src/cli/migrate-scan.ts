import type { Command } from 'commander';
import { describeSize } from '../base/size.ts';
import { quoteKey } from '../rdb/errors.ts';
import type { ConnectionOptions } from '../redis/connection.ts';
import { interruptible } from './interrupt.ts';
import { openSides, type SidesOptions, withSides } from './migrate-sides.ts';
import type { Output } from './output.ts';
import { ProgressLine } from './progress-line.ts';
import { wholeNumber } from './rdb-options.ts';
import { keyAsJson } from './rdb-report.ts';
import { action, type CommonOptions, verb } from './verb.ts';

interface ScanVerbOptions extends CommonOptions, SidesOptions {
  replace?: boolean;
  notifications: boolean;
  passes: number;
}

const shownLeftOut = 100;

/** `holdfast migrate scan`: the copy that needs no replication. */
export function migrateScanVerb(): Command {
  return withSides(
    verb('scan', 'copy where replication is refused, as managed services do, until nothing differs', [
      [
        'holdfast migrate scan rediss://cache.example:6379 holdfast.yaml',
        'a managed service into a deployment',
      ],
      [
        'holdfast migrate scan redis://a:6379 holdfast.yaml --replace',
        'again: what differs since, and no more',
      ],
    ])
      .argument(
        '<source>',
        'redis://[user@]host:port, rediss://…, sentinel://host:port/NAME; a node of a Redis Cluster',
      )
      .argument('<target>', 'the same, but for a cluster; or a spec, whose gate is written to')
      .option('--replace', 'write over what the target has under the same names; what only it has stays')
      .option(
        '--no-notifications',
        'leave keyspace notifications of the source as they are, and compare instead',
      )
      .option(
        '--passes <n>',
        'after so many comparing passes, give up waiting for a quiet source',
        wholeNumber,
        10,
      ),
  ).action(
    action<ScanVerbOptions>((output, [source = '', target = ''], options) =>
      scan(output, source, target, options),
    ),
  );
}

async function scan(output: Output, from: string, to: string, options: ScanVerbOptions): Promise<number> {
  const { replace, notifications, passes } = options;
  return await copyByScan(output, await openSides(from, to, options), {
    replace: replace === true,
    notifications,
    passes,
  });
}

/** @returns the exit status: 1 when something is not there. @throws what `scanInto` throws */
async function copyByScan(
  output: Output,
  { source, target }: { source: ConnectionOptions; target: ConnectionOptions },
  { replace, notifications, passes }: { replace: boolean; notifications: boolean; passes: number },
): Promise<number> {
  const { scanInto } = await import('../migrate/scan/scan.ts');
  const progress = new ProgressLine(output);
  const startedMs = performance.now();
  const result = await interruptible((signal) =>
    scanInto({
      source,
      target,
      replace,
      notifications,
      mostPasses: Math.max(1, passes),
      signal,
      say: (step) => {
        progress.done();
        output.note(step);
      },
      onProgress: ({ keys, bytes, total }) =>
        progress.show(() => {
          const seconds = (performance.now() - startedMs) / 1000;
          return `copy: ${keys} of about ${total} keys, ${describeSize(bytes)}, ${Math.round(keys / seconds)} keys/s`;
        }),
    }),
  ).finally(() => progress.done());
  const { leftOut, ...rest } = result;
  for (const { db, key, reason } of leftOut.shown.slice(0, shownLeftOut)) {
    output.line(`${output.colors.red('left out')} ${quoteKey(key)} (database ${db}): ${reason}`);
  }
  if (leftOut.count > shownLeftOut)
    output.line(`… and ${leftOut.count - shownLeftOut} more; --json has them`);
  output.line(`${result.keys} keys copied, ${describeSize(result.bytes)}; ${result.passes} comparing passes`);
  output.line(result.guarantee);
  output.data({
    ...rest,
    leftOutCount: leftOut.count,
    leftOut: leftOut.shown.map(({ key, ...each }) => ({ ...each, key: keyAsJson(key) })),
  });
  return result.differing === 0 && leftOut.count === 0 ? 0 : 1;
}

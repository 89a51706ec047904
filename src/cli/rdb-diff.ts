import type { Command } from 'commander';
import type { Difference } from '../rdb/diff.ts';
import { quoteKey } from '../rdb/errors.ts';
import type { AccessFiles } from './migrate-access.ts';
import type { Output } from './output.ts';
import { passwordFiles } from './password-files.ts';
import { openInputs, type RdbInput } from './rdb-input.ts';
import { isServer, wholeNumber } from './rdb-options.ts';
import { keyAsJson } from './rdb-report.ts';
import type { ServerCopy } from './rdb-server.ts';
import { action, type CommonOptions, verb } from './verb.ts';

interface DiffVerbOptions extends CommonOptions {
  ignoreExpiry?: boolean;
  limit: number;
  details: number;
  passwordFile?: string;
  sentinelPasswordFile?: string;
  ca?: string;
}

export function diffVerb(): Command {
  return verb('diff', 'compare two files, or a file and a server, key by key; exit 3 when they differ', [
    ['holdfast rdb diff before.rdb after.rdb', 'what was added, removed and changed'],
    ['holdfast rdb diff dump.rdb redis://127.0.0.1:6379', 'a file against a running server'],
    ['holdfast rdb diff dump.rdb redis://app@10.0.1.7 --password-file app.password', 'one with a password'],
  ])
    .argument('<first>', 'an RDB file, plain or packed, - for stdin, or redis://[user@]host:port')
    .argument('<second>', 'the same')
    .option(
      '--password-file <files>',
      'the server’s password, in a file that only its owner reads; of two servers with commas one for each',
    )
    .option('--sentinel-password-file <file>', 'the Sentinels’, for sentinel://host:port/NAME')
    .option('--ca <file>', 'certificate of the authority, for servers with TLS')
    .option('--ignore-expiry', 'do not compare when keys expire')
    .option('--limit <n>', 'how many differences to show; 0 for all', wholeNumber, 100)
    .option('--details <n>', 'for how many keys to say how the values differ', wholeNumber, 20)
    .action(
      action<DiffVerbOptions>(async (output, [first = '', second = ''], options) => {
        const copies: ServerCopy[] = [];
        const disposals: (() => Promise<void>)[] = [];
        const access = accessOf([first, second], options);
        try {
          const sides: RdbInput[] = [];
          for (const [index, name] of [first, second].entries())
            sides.push(await openSide(name, access[index]!, copies, disposals));
          return await compare(output, sides[0]!, sides[1]!, copies, options);
        } finally {
          for (const dispose of disposals) await dispose();
        }
      }),
    );
}

/** Of each side what its address does not say. @throws BAD_OPTION */
function accessOf(sides: readonly string[], options: DiffVerbOptions): AccessFiles[] {
  const servers = { count: sides.filter(isServer).length, what: 'servers' };
  const files = passwordFiles('--password-file', options.passwordFile, servers);
  const { sentinelPasswordFile, ca } = options;
  return sides.map((side) => {
    return { passwordFile: isServer(side) ? files.shift() : undefined, sentinelPasswordFile, ca };
  });
}

async function openSide(
  name: string,
  access: AccessFiles,
  copies: ServerCopy[],
  disposals: (() => Promise<void>)[],
): Promise<RdbInput> {
  if (isServer(name)) {
    const { copyServer } = await import('./rdb-server.ts');
    const copy = await copyServer(name, access);
    copies.push(copy);
    disposals.push(() => copy.dispose());
    return copy.input;
  }
  const { inputs, dispose } = await openInputs([name]);
  disposals.push(dispose);
  return inputs[0]!;
}

async function compare(
  output: Output,
  first: RdbInput,
  second: RdbInput,
  copies: ServerCopy[],
  options: DiffVerbOptions,
): Promise<number> {
  const { diffFiles } = await import('../rdb/diff.ts');
  const { temporarySpill } = await import('./rdb-output.ts');
  const { RdbProgress } = await import('./rdb-progress.ts');
  const found: Difference[] = [];
  let expired = 0;
  const limit = options.limit === 0 ? Number.POSITIVE_INFINITY : options.limit;
  const spill = temporarySpill();
  const progress = new RdbProgress(output, 'diff', [first, second], () => found.length);
  try {
    const counts = await diffFiles(first, second, {
      spill,
      expiryToleranceMs: Math.max(0, ...copies.map(({ expiryToleranceMs }) => expiryToleranceMs)),
      ignoreExpiry: options.ignoreExpiry === true,
      details: options.details,
      ...(copies.length > 0 ? { readAtMs: Date.now() } : {}),
      onDifference: (difference) => {
        if (difference.expired === true) expired++;
        if (found.length < limit) found.push(difference);
      },
      after: () => progress.tick(),
    });
    progress.done();
    const total = counts.firstOnly + counts.secondOnly + counts.differing;
    output.data({
      first: first.name,
      second: second.name,
      equal: total === 0,
      ...counts,
      expired,
      differences: found.map(({ key, ...rest }) => ({ ...rest, key: keyAsJson(key) })),
    });
    for (const difference of found) output.line(describe(output, difference));
    if (total > found.length) output.line(`… and ${total - found.length} more; --limit 0 shows all`);
    output.line(
      `${counts.same} keys are the same, ${counts.firstOnly} only in ${first.name}, ` +
        `${counts.secondOnly} only in ${second.name}, ${counts.differing} differ`,
    );
    if (expired > 0) {
      output.line(`of those in one only, ${expired} had expired before the other side was read`);
    }
    return total === 0 ? 0 : 3;
  } finally {
    progress.done();
    spill.dispose();
  }
}

function describe(output: Output, difference: Difference): string {
  const { red, green, yellow } = output.colors;
  const when = difference.expired === true ? ': it expired before the other was read' : '';
  const place = `${quoteKey(difference.key)} (database ${difference.db})${when}`;
  if (difference.is === 'first-only') return red(`- ${place}`);
  if (difference.is === 'second-only') return green(`+ ${place}`);
  const what = `${difference.in?.join(' and ')} differs`;
  return yellow(`~ ${place}: ${what}${difference.how === undefined ? '' : `: ${difference.how}`}`);
}

/** The mirrors of a deployment as lines, for `status` and `mirror status`. */
import type { MirrorStatus } from '../agent/mirrors/mirror-keeper.ts';
import { describeDuration } from '../base/duration.ts';
import { describeSize } from '../base/size.ts';
import type { Output } from './output.ts';
import { table } from './table.ts';

export function printMirrors(output: Output, mirrors: readonly MirrorStatus[]): void {
  if (mirrors.length === 0) return;
  const { dim, yellow } = output.colors;
  const rows = [['MIRROR', 'TO', 'STATE', 'LAG'], ...mirrors.map(mirrorRow)];
  for (const [index, line] of table(rows).entries()) output.line(index === 0 ? dim(line) : line);
  for (const { name, problem } of mirrors)
    if (problem !== null) output.line(`  ${yellow('!')} mirror ${name}: ${problem}`);
}

function mirrorRow({ name, to, host, state, keys, bytes, totalBytes, lagBytes, lagSeconds }: MirrorStatus) {
  const of = totalBytes === null ? '' : ` of ${describeSize(totalBytes)}`;
  const where = state === 'elsewhere' ? ` (host ${host} runs it)` : '';
  const copied = state === 'copying' ? `, ${keys} keys, ${describeSize(bytes)}${of}` : '';
  const lag =
    state !== 'following' || lagBytes === null
      ? ''
      : `${describeSize(lagBytes)}, ${describeDuration((lagSeconds ?? 0) * 1000)}`;
  return [name, to, `${state}${where}${copied}`, lag];
}

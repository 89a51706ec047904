/** The mirrors of a deployment as lines, for `status` and `mirror status`. */
import type { MirrorStatus } from '../agent/mirrors/mirror-keeper.ts';
import type { RequestMirrorLine } from '../agent/mirrors/request-mirror-lines.ts';
import { describeDuration } from '../base/duration.ts';
import { describeSize } from '../base/size.ts';
import type { Output } from './output.ts';
import { table } from './table.ts';

export function printMirrors(output: Output, mirrors: readonly MirrorStatus[]): void {
  if (mirrors.length === 0) return;
  const { dim, yellow } = output.colors;
  const rows = [['MIRROR', 'TO', 'STATE', 'LAG', 'QUEUE'], ...mirrors.map(mirrorRow)];
  for (const [index, line] of table(rows).entries()) output.line(index === 0 ? dim(line) : line);
  for (const { name, problem } of mirrors)
    if (problem !== null) output.line(`  ${yellow('!')} mirror ${name}: ${problem}`);
}

function mirrorRow(mirror: MirrorStatus): string[] {
  const { name, to, host, state, keys, bytes, totalBytes, lagBytes, lagSeconds, queueBytes, queueSeconds } =
    mirror;
  const of = totalBytes === null ? '' : ` of ${describeSize(totalBytes)}`;
  const where = state === 'elsewhere' ? ` (host ${host} runs it)` : '';
  const copied = state === 'copying' ? `, ${keys} keys, ${describeSize(bytes)}${of}` : '';
  const lag =
    state !== 'following' || lagBytes === null
      ? ''
      : `${describeSize(lagBytes)}, ${describeDuration((lagSeconds ?? 0) * 1000)}`;
  const queue =
    queueBytes === null ? '' : `${describeSize(queueBytes)}, ${describeDuration((queueSeconds ?? 0) * 1000)}`;
  return [name, to, `${state}${where}${copied}`, lag, queue];
}

/** Beside each what the gate's own clients hear: that is what it is for. */
export function printRequestMirrors(output: Output, mirrors: readonly RequestMirrorLine[]): void {
  if (mirrors.length === 0) return;
  const { dim, yellow } = output.colors;
  const header = ['REQUESTS TO', 'STATE', 'COPIED', 'DROPPED', 'FAILED', 'ERRORS', 'READ P99', 'WRITE P99'];
  const own = mirrors.find((each) => each.own !== null)?.own ?? null;
  const rows = [
    header,
    ...mirrors.map(({ name, to, state, copied, dropped, failed, errors, readP99Ms, writeP99Ms }) => [
      `${name} (${to})`,
      ...[state ?? 'unknown', `${copied}`, `${dropped}`, `${failed}`, wordsOf(errors)],
      ...[millis(readP99Ms), millis(writeP99Ms)],
    ]),
    ...(own === null
      ? []
      : [['clients', '', '', '', '', wordsOf(own.errors), millis(own.readP99Ms), millis(own.writeP99Ms)]]),
  ];
  for (const [index, line] of table(rows).entries()) output.line(index === 0 ? dim(line) : line);
  for (const { name, reason } of mirrors)
    if (reason !== null) output.line(`  ${yellow('!')} mirror ${name}: ${reason}`);
}

function wordsOf(errors: Readonly<Record<string, number>>): string {
  return (
    Object.entries(errors)
      .map(([word, count]) => `${word} ${count}`)
      .join(', ') || 'none'
  );
}

function millis(ms: number): string {
  return `${Math.round(ms * 100) / 100} ms`;
}

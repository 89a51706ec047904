/** Files that hold no configuration, by their first bytes: what each is instead, before anything is made of it. Pure. */
import { SourceUnknown } from './errors.ts';

/** What `--from` takes as files. */
export const filesRead =
  'init reads redis.conf, sentinel.conf, and values of the Helm charts bitnami/redis and dandydev/redis-ha';
/** No file of these is as long. */
export const longestBytes = 8 * 2 ** 20;

const movesData = 'It holds data, which holdfast migrate moves: holdfast migrate FILE --to SPEC.';
const beginnings: [RegExp, string, string?][] = [
  [/^(REDIS\d{4}|VALKEY\d{3})/, 'an RDB file', movesData],
  [/^(#TS:\d+\r\n)?\*\d+\r\n\$\d+\r\n/, 'an AOF', movesData],
  [/^\x1f\x8b/, 'compressed (gzip)', 'Unpack it first.'],
  [/^\x28\xb5\x2f\xfd/, 'compressed (zstd)', 'Unpack it first.'],
];

/** @param bytes no more than one above `longestBytes`. @throws INIT_SOURCE_UNKNOWN */
export function refuseNoConfiguration(file: string, bytes: Buffer): void {
  const head = bytes.subarray(0, 64).toString('latin1');
  const known = beginnings.find(([pattern]) => pattern.test(head));
  if (known !== undefined) throw noConfiguration(`${file} is ${known[1]}, and no configuration`, known[2]);
  if (bytes.length > longestBytes) throw noConfiguration(`${file} is longer than any configuration`);
  // Comments may be in an encoding of their own.
  if (bytes.some((byte) => byte < 32 && !isBlank(byte))) throw noConfiguration(`${file} is no text`);
  if (bytes.every((byte) => byte === 32 || isBlank(byte))) throw noConfiguration(`${file} is empty`);
}

function isBlank(byte: number): boolean {
  return byte >= 9 && byte <= 13;
}

export function noConfiguration(what: string, hint = ''): Error {
  return SourceUnknown(what, { hint: `${hint === '' ? '' : `${hint} `}${filesRead}; nothing was written.` });
}

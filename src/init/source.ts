/** What `--from` names: a server, Sentinels, or files. */
import { type Address, addressOf } from '../redis/endpoint.ts';
import { SourceUnknown } from './errors.ts';

export type Source =
  | { kind: 'server'; at: Address; username: string; tls: boolean }
  | { kind: 'sentinels'; at: Address[]; username: string; name: string | undefined; tls: boolean }
  | { kind: 'files'; files: string[] };

const example =
  'sentinel://10.0.0.1:26379/mymaster, redis://10.0.0.1:6379, or a file: redis.conf, sentinel.conf, values.yaml';

/** @throws INIT_SOURCE_UNKNOWN */
export function parseSource(texts: readonly string[]): Source {
  const [first = ''] = texts;
  const addresses = texts.filter((text) => text.includes('://'));
  if (addresses.length === 0) return { kind: 'files', files: [...texts] };
  if (texts.length > 1) {
    throw SourceUnknown('an address stands alone: one --from with it, and no other', {
      hint: `Say ${example}.`,
    });
  }
  const match = /^(rediss?|sentinels?):\/\/([^/@]+@)?([^/@?#]+)(?:\/([^/]*))?$/.exec(first);
  if (match === null)
    throw SourceUnknown(`--from ${withoutUser(first)} is no source`, { hint: `Say ${example}.` });
  const [, scheme = '', user = '', places = '', name] = match;
  if (user.includes(':')) {
    throw SourceUnknown('a password in an address is seen by everyone who lists processes', {
      hint: 'Write it into a file that only its owner can read, and name that: --password-file, for Sentinels --sentinel-password-file.',
    });
  }
  const username = user.slice(0, -1);
  const isSentinel = scheme.startsWith('sentinel');
  const at = places.split(',').map((each) => placeOf(each.trim(), isSentinel ? 26_379 : 6379));
  const tls = scheme === 'rediss' || scheme === 'sentinels';
  if (isSentinel) return { kind: 'sentinels', at, username, name: name === '' ? undefined : name, tls };
  if (at.length > 1 || (name ?? '') !== '') {
    throw SourceUnknown(`--from ${first} is no single server`, { hint: `Say ${example}.` });
  }
  return { kind: 'server', at: at[0] as Address, username, tls };
}

function placeOf(text: string, usualPort: number): Address {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text);
  const found = addressOf(match?.[1] ?? match?.[2], match?.[3] ?? String(usualPort));
  if (found === undefined) throw SourceUnknown(`${text} is no address`, { hint: `Say ${example}.` });
  return found;
}

function withoutUser(text: string): string {
  return text.replace(/\/\/[^@/]*@/, '//');
}

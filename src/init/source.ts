/** What `--from` names: a server, Sentinels, or files. */
import { type Address, addressOf } from '../redis/endpoint.ts';
import { SourceUnknown } from './errors.ts';

export type Source =
  | { kind: 'server'; at: Address; tls: boolean }
  | { kind: 'sentinels'; at: Address[]; name: string | undefined; tls: boolean }
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
  const [, scheme = '', user, places = '', name] = match;
  if (user !== undefined) {
    throw SourceUnknown('a user and a password in an address are seen by everyone who lists processes', {
      hint: 'Name them with --user and --password-file; for Sentinels --sentinel-password-file.',
    });
  }
  const isSentinel = scheme.startsWith('sentinel');
  const at = places.split(',').map((each) => placeOf(each.trim(), isSentinel ? 26_379 : 6379));
  const tls = scheme === 'rediss' || scheme === 'sentinels';
  if (isSentinel) return { kind: 'sentinels', at, name: name === '' ? undefined : name, tls };
  if (at.length > 1 || (name ?? '') !== '') {
    throw SourceUnknown(`--from ${first} is no single server`, { hint: `Say ${example}.` });
  }
  return { kind: 'server', at: at[0] as Address, tls };
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

/**
 * How a server, or what Sentinels watch, is named on a command line or in a file: without its password, which everyone on
 * the machine could read there. `rediss` and `sentinels` speak TLS, to the Sentinels as to the servers that they name.
 */
import { type Address, addressOf } from './endpoint.ts';
import { ServerAddressUnclear } from './errors.ts';

export type ServerAddress =
  | { kind: 'server'; at: Address; username: string; tls: boolean }
  | { kind: 'sentinels'; at: Address[]; username: string; name: string | undefined; tls: boolean };

const shapes =
  'Say redis://[user@]host:port or sentinel://[user@]host:port,host:port/NAME; with TLS rediss:// or sentinels://.';

/**
 * @returns `username` of the servers, empty for none; `name` undefined where the Sentinels are to say which primary.
 * @throws SERVER_ADDRESS_UNCLEAR, without the password that it may have
 */
export function parseServerAddress(text: string): ServerAddress {
  const match = /^(rediss?|sentinels?):\/\/(?:([^@/]*)@)?([^/@?#]+)(?:\/([^/?#]*))?$/.exec(text);
  if (match === null) throw unclear(text, 'it is no address of a server');
  const [, scheme = '', user = '', places = '', rest = ''] = match;
  if (user.includes(':')) {
    throw unclear(
      text,
      'a password in an address is seen by everyone who lists processes',
      'Write it into a file that only its owner can read, and name that with the option for it (--help).',
    );
  }
  const username = decode(user, text);
  const tls = scheme === 'rediss' || scheme === 'sentinels';
  if (scheme.startsWith('sentinel')) {
    if (!/^[A-Za-z0-9._-]*$/.test(rest)) throw unclear(text, 'no primary can be called so');
    const at = places.split(',').map((place) => placeOf(place.trim(), 26_379, text));
    return { kind: 'sentinels', at, username, name: rest === '' ? undefined : rest, tls };
  }
  if (rest !== '') {
    throw unclear(text, 'a server is meant with all its databases', 'Leave out what stands behind the port.');
  }
  return { kind: 'server', at: placeOf(places, 6379, text), username, tls };
}

function placeOf(text: string, usualPort: number, whole: string): Address {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:,[\]]+))(?::(\d{1,5}))?$/.exec(text);
  const found = addressOf(match?.[1] ?? match?.[2], match?.[3] ?? String(usualPort));
  if (found === undefined) throw unclear(whole, `'${text}' is no host and port`);
  return found;
}

function decode(text: string, whole: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw unclear(whole, 'the user’s name can’t be read');
  }
}

function unclear(text: string, what: string, hint = shapes): Error {
  return ServerAddressUnclear(`${text.replace(/:\/\/.*@/, '://…@')}: ${what}`, { hint });
}

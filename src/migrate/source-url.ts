/** How a server is named on the command line: without its password, which everyone on the machine could read there. */
import { MigrationSourceUnclear } from './errors.ts';

export type ServerName =
  | { kind: 'server'; host: string; port: number; username: string; tls: boolean }
  | { kind: 'sentinel'; sentinels: { address: string; port: number }[]; name: string; username: string };

const shapes =
  'Say redis://[user@]host:port, rediss://[user@]host:port, or sentinel://[user@]host:port,host:port/NAME.';

/** @throws MIGRATION_SOURCE_UNCLEAR, without the password that it may have */
export function parseServerName(text: string): ServerName {
  const match = /^(redis|rediss|sentinel):\/\/(?:([^@/]*)@)?([^/@?#]+)(?:\/([^/?#]*))?$/.exec(text);
  if (match === null) throw unclear(text, 'it is no address of a server', shapes);
  const [, scheme, access = '', places = '', rest = ''] = match;
  if (access.includes(':')) {
    throw unclear(
      text,
      'passwords on a command line can be read by everyone on the machine',
      'Write the password into a file that only you can read, and name it with --source-password-file or --target-password-file.',
    );
  }
  const username = decode(access, text);
  if (scheme === 'sentinel') {
    if (!/^[A-Za-z0-9._-]+$/.test(rest)) throw unclear(text, 'the name of the primary is missing', shapes);
    const sentinels = places.split(',').map((place) => placeOf(place, 26_379, text));
    return { kind: 'sentinel', sentinels, name: rest, username };
  }
  if (rest !== '')
    throw unclear(
      text,
      'a source is taken with all its databases',
      'Leave out what stands behind the port; --db moves databases.',
    );
  const { address: host, port } = placeOf(places, 6379, text);
  return { kind: 'server', host, port, username, tls: scheme === 'rediss' };
}

function placeOf(text: string, defaultPort: number, whole: string): { address: string; port: number } {
  const match = /^(\[[0-9a-fA-F:.]+\]|[^:[\]]+)(?::(\d{1,5}))?$/.exec(text);
  const port = match?.[2] === undefined ? defaultPort : Number(match[2]);
  if (match === null || port < 1 || port > 65_535)
    throw unclear(whole, `'${text}' is no host and port`, shapes);
  return { address: match[1]!.replace(/^\[|\]$/g, ''), port };
}

function decode(text: string, whole: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw unclear(whole, 'the user’s name can’t be read', shapes);
  }
}

function unclear(text: string, what: string, hint: string): Error {
  return MigrationSourceUnclear(`${withoutPassword(text)}: ${what}`, { hint });
}

function withoutPassword(text: string): string {
  return text.replace(/:\/\/.*@/, '://…@');
}

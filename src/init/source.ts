/** What `--from` names: a server, Sentinels, or files. */
import { parseServerAddress, type ServerAddress } from '../redis/server-address.ts';
import { SourceUnknown } from './errors.ts';

export type Source = ServerAddress | { kind: 'files'; files: string[] };

/** @throws INIT_SOURCE_UNKNOWN, SERVER_ADDRESS_UNCLEAR */
export function parseSource(texts: readonly string[]): Source {
  const [address] = texts.filter((text) => text.includes('://'));
  if (address === undefined) return { kind: 'files', files: [...texts] };
  if (texts.length === 1) return parseServerAddress(address);
  throw SourceUnknown('an address stands alone: one --from with it, and no other', {
    hint: 'Sentinels of one deployment are one address: sentinel://10.0.0.1:26379,10.0.0.2:26379/mymaster.',
  });
}

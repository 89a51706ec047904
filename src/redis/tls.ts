import { errorText } from '../base/errors.ts';
import { readNamedFile, readSecretFile } from '../base/private-file.ts';
import type { TlsFiles } from '../spec/spec.ts';
import type { TlsTexts } from './endpoint.ts';
import { TlsFileUnreadable } from './errors.ts';

/**
 * The certificates of `security.tls`, or of another section, as they are now; undefined without TLS.
 * @throws TLS_FILE_UNREADABLE
 */
export async function readTls(tls: TlsFiles | null, section = 'security.tls'): Promise<TlsTexts | undefined> {
  if (tls === null) return undefined;
  const { ca, cert, key } = tls;
  return {
    ca: readPem(section, ca),
    cert: readPem(section, cert),
    key: readPem(section, key, readSecretFile),
  };
}

function readPem(section: string, file: string, read = readNamedFile): string {
  try {
    return read(file).toString('utf8');
  } catch (cause) {
    throw TlsFileUnreadable(`${section}: cannot read ${file}: ${errorText(cause)}`, {
      hint: 'Each must be a regular file. The user that runs holdfast must be able to read the certificate, its key and the authority’s certificate; the key must not be readable by everyone.',
      cause,
    });
  }
}

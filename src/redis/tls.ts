import { readFile } from 'node:fs/promises';
import { errorText } from '../base/errors.ts';
import { readSecretFile } from '../base/private-file.ts';
import type { TlsFiles } from '../spec/spec.ts';
import type { TlsTexts } from './endpoint.ts';
import { TlsFileUnreadable } from './errors.ts';

/** The certificates of `security.tls`, as they are now; undefined without TLS. @throws TLS_FILE_UNREADABLE */
export async function readTls(tls: TlsFiles | null): Promise<TlsTexts | undefined> {
  if (tls === null) return undefined;
  const [ca, cert, key] = await Promise.all([
    readPem(tls.ca),
    readPem(tls.cert),
    readPem(tls.key, readSecretFile),
  ]);
  return { ca, cert, key };
}

async function readPem(file: string, read = (name: string) => readFile(name, 'utf8')): Promise<string> {
  return read(file).catch((cause) => {
    throw TlsFileUnreadable(`security.tls: cannot read ${file}: ${errorText(cause)}`, {
      hint: 'The user that runs holdfast must be able to read the certificate, its key and the authority’s certificate; the key must not be readable by everyone.',
      cause,
    });
  });
}

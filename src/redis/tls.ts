import { createSecureContext } from 'node:tls';
import { errorText } from '../base/errors.ts';
import { readNamedFile, readSecretFile } from '../base/private-file.ts';
import type { TlsFiles } from '../spec/spec.ts';
import type { TlsMaterial, TlsTexts } from './endpoint.ts';
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

/**
 * Before anything is started with them: the certificates are there, and the key is the certificate's.
 * @param section for messages. @throws TLS_FILE_UNREADABLE
 */
export async function checkTls(tls: TlsFiles | null, section = 'security.tls'): Promise<void> {
  const texts = await readTls(tls, section);
  if (tls === null || texts === undefined) return;
  try {
    createSecureContext(texts);
  } catch (cause) {
    const { cert, key, ca } = tls;
    throw TlsFileUnreadable(`${section}: ${cert} with ${key} and ${ca} can't be used: ${errorText(cause)}`, {
      hint: 'Each must be PEM, and the key must be the one of the certificate: openssl x509 -noout -pubkey and openssl pkey -pubout show the same then.',
      cause,
    });
  }
}

/** @throws TLS_FILE_UNREADABLE */
export async function currentTls(tls: TlsFiles | null): Promise<CurrentTls | undefined> {
  const texts = await readTls(tls);
  return texts && new CurrentTls(texts);
}

/** The certificates of a deployment, for connections that are opened again and again while they are renewed. */
export class CurrentTls implements TlsTexts {
  #texts: TlsTexts;

  constructor(texts: TlsTexts) {
    this.#texts = texts;
  }

  get ca(): string {
    return this.#texts.ca;
  }

  get cert(): string {
    return this.#texts.cert;
  }

  get key(): string {
    return this.#texts.key;
  }

  renew(texts: TlsTexts): void {
    this.#texts = texts;
  }
}

/**
 * The authority of a place that has no certificates of ours; the system's when there is no file.
 * @param place for messages. @throws TLS_FILE_UNREADABLE
 */
export function readAuthority(place: string, file: string | null | undefined): TlsMaterial {
  return file ? { ca: readPem(place, file) } : {};
}

/** @param section for messages. @throws TLS_FILE_UNREADABLE */
export function readPem(section: string, file: string, read = readNamedFile): string {
  try {
    return read(file).toString('utf8');
  } catch (cause) {
    throw TlsFileUnreadable(`${section}: cannot read ${file}: ${errorText(cause)}`, {
      hint: 'Each must be a regular file. The user that runs holdfast must be able to read the certificate, its key and the authority’s certificate; the key must not be readable by everyone.',
      cause,
    });
  }
}

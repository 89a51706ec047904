/**
 * Takes up a certificate that was renewed, without a restart: its files are looked at now and then, and read when one of
 * them is another. A certificate that does not belong to its key, or can't be read, as while the second of the files is not
 * written yet, is not taken up; what was there before stays, and when that lasts it is told.
 */
import { X509Certificate } from 'node:crypto';
import type { Server } from 'node:https';
import { createSecureContext } from 'node:tls';
import { errorText } from '../../base/errors.ts';
import { stampOfFiles } from '../../base/file-stamp.ts';
import type { TlsTexts } from '../../redis/endpoint.ts';
import { readTls } from '../../redis/tls.ts';
import type { TlsFiles } from '../../spec/spec.ts';

const everyMs = 5000;

export interface Renewal {
  files: TlsFiles;
  /** Of the spec, for messages. */
  section: 'agent.tls' | 'security.tls';
  /** What is told when it was taken up. */
  news: string;
  /** Everything that has the present one. */
  take: (tls: TlsTexts) => void;
  tell: (kind: 'certificate-renewed' | 'certificate-unread', text: string) => void;
}

/** @param everyOtherMs how often it is looked. @returns what ends it. */
export function renewTls({ files, section, news, take, tell }: Renewal, everyOtherMs = everyMs): () => void {
  const stampNow = () => stampOfFiles([files.cert, files.key, files.ca]);
  let known = stampNow();
  /** What could not be taken up when it was looked last. */
  let failed = '';
  const look = async () => {
    const stamp = stampNow();
    if (stamp === known) return;
    try {
      const tls = (await readTls(files, section)) as TlsTexts;
      createSecureContext(tls);
      take(tls);
      known = stamp;
      tell('certificate-renewed', news);
    } catch (error) {
      if (failed === stamp) {
        known = stamp;
        const text = `the certificate of ${section} was changed and can't be taken up, the one of before stays: ${errorText(error)}`;
        tell('certificate-unread', text);
      }
      failed = stamp;
    }
  };
  const timer = setInterval(() => void look(), everyOtherMs);
  return () => clearInterval(timer);
}

/** Makes a server that listens go on with it: connections that are open keep the one that they began with. */
export function serveWith(server: Server, { cert, key, ca }: TlsTexts): void {
  server.setSecureContext({ cert, key, ca });
}

/** Whether one may show it to servers: those of public authorities are good for servers only (RFC 5280, 4.2.1.12). */
export function isForClients(cert: string): boolean {
  // Node.js calls so what the certificate calls extended key usage; without it there is no limit.
  const usages: readonly string[] | undefined = new X509Certificate(cert).keyUsage;
  return usages === undefined || usages.some((each) => each === clientAuth || each === anyUsage);
}

const clientAuth = '1.3.6.1.5.5.7.3.2';
const anyUsage = '2.5.29.37.0';

import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import type { TlsFiles } from '../../src/spec/spec.ts';

/**
 * An authority and a certificate, valid for two days, made by openssl in `folder`.
 * @param addresses for which it is good, beside 127.0.0.1 and localhost
 */
export function makeCertificates(folder: string, addresses: readonly string[] = []): TlsFiles {
  const file = (name: string) => path.join(folder, name);
  const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'ignore' });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  openssl(
    'req',
    '-x509',
    ...key,
    '-keyout',
    file('ca.key'),
    '-out',
    file('ca.crt'),
    '-subj',
    '/CN=test',
    '-days',
    '2',
  );
  openssl('req', ...key, '-keyout', file('server.key'), '-out', file('server.csr'), '-subj', '/CN=127.0.0.1');
  writeFileSync(
    file('names'),
    `subjectAltName=${['127.0.0.1', ...addresses].map((each) => `IP:${each},`).join('')}DNS:localhost\n`,
  );
  const authority = ['-CA', file('ca.crt'), '-CAkey', file('ca.key'), '-CAcreateserial'];
  const request = ['-in', file('server.csr'), '-out', file('server.crt'), '-extfile', file('names')];
  openssl('x509', '-req', ...request, ...authority, '-days', '2');
  return { cert: file('server.crt'), key: file('server.key'), ca: file('ca.crt') };
}

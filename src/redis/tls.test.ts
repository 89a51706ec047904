import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { makeCertificates } from '../../test/support/certificates.ts';
import type { TlsFiles } from '../spec/spec.ts';
import { checkTls, readTls } from './tls.ts';

const folder = mkdtempSync(path.join(os.tmpdir(), 'holdfast-tls-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test.each(['ca', 'cert', 'key'] as const)(
  'a pipe in the place of %s is refused, not waited for',
  async (which) => {
    const file = (name: string) => path.join(folder, `${which}-${name}`);
    const tls = { ca: file('ca'), cert: file('cert'), key: file('key') };
    for (const each of Object.values(tls)) writeFileSync(each, 'pem', { mode: 0o600 });
    expect(await readTls(tls)).toEqual({ ca: 'pem', cert: 'pem', key: 'pem' });
    rmSync(tls[which]);
    execFileSync('mkfifo', ['-m', '600', tls[which]]);
    await expect(readTls(tls)).rejects.toMatchObject({
      code: 'TLS_FILE_UNREADABLE',
      message: `security.tls: cannot read ${tls[which]}: it is a pipe, and not a regular file`,
    });
  },
);

test('a key that is not the one of its certificate is found before anything is started with it', async () => {
  const [one, other] = ['one', 'other'].map((name) => {
    mkdirSync(path.join(folder, name));
    return makeCertificates(path.join(folder, name));
  }) as [TlsFiles, TlsFiles];
  const tls = { ...one, key: other.key };
  await expect(checkTls(tls, 'agent.tls')).rejects.toMatchObject({
    code: 'TLS_FILE_UNREADABLE',
    message: expect.stringContaining(`agent.tls: ${tls.cert} with ${tls.key} and ${tls.ca} can't be used: `),
  });
  await checkTls(one);
});

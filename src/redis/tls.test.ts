import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { readTls } from './tls.ts';

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

import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { makeCertificates } from '../../../test/support/certificates.ts';
import { waitFor } from '../../base/retry.ts';
import { readTlsFiles, whyNotRenewed } from './open-socket.ts';

test('renewed files are taken up together, and not while only one of them is there', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'hf-gate-tls-'));
  const inFolder = (name: string) => {
    mkdirSync(path.join(folder, name));
    return makeCertificates(path.join(folder, name));
  };
  const [tls, next] = [inFolder('present'), inFolder('next')];
  const shown = () => readTlsFiles(tls).cert?.toString();
  const before = readFileSync(tls.cert, 'utf8');
  expect(shown()).toBe(before);
  // Also while another configuration's are asked for: those of routes and mirrors.
  const { secureContext } = readTlsFiles(tls);
  readTlsFiles(next);
  expect(readTlsFiles(tls).secureContext).toBe(secureContext);
  copyFileSync(next.cert, tls.cert);
  const begun = performance.now();
  // As long as it takes until the files are looked at again.
  await waitFor(() => performance.now() - begun > 1200, {
    what: 'the next look',
    withinMs: 5000,
    everyMs: 100,
  });
  expect(shown()).toBe(before);
  // It is told when it stays so, and not while one file comes after the other.
  expect(whyNotRenewed(tls)).toBeNull();
  const told = () => /key values mismatch/.test(whyNotRenewed(tls) ?? '');
  await waitFor(told, { what: 'why they are not taken up', withinMs: 5000, everyMs: 50 });
  copyFileSync(next.key, tls.key);
  const renewed = () => shown() === readFileSync(next.cert, 'utf8');
  await waitFor(renewed, { what: 'the new certificate', withinMs: 5000, everyMs: 50 });
  expect(readTlsFiles(tls).key?.toString()).toBe(readFileSync(next.key, 'utf8'));
  expect(readTlsFiles(tls).secureContext).not.toBe(secureContext);
  expect(whyNotRenewed(tls)).toBeNull();
  rmSync(folder, { recursive: true });
});

import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { makeCertificates } from '../../../test/support/certificates.ts';
import { certificateTrouble, lifeOf } from './certificate-trouble.ts';

const dayMs = 86_400_000;
const now = Date.parse('2026-03-01T12:00:00Z');

test('status warns in the last week of a certificate', () => {
  const said = (days: number) =>
    certificateTrouble({ fromMs: now, toMs: now + 90 * dayMs }, now + days * dayMs);
  expect([said(0), said(60), said(82)]).toEqual([null, null, null]);
  expect(said(84)).toContain('ends in 6 days');
  expect(said(89.5)).toContain('ends in 12 hours');
  expect(said(90)).toContain('has ended');
});

test('one that is good for two days is no trouble before its last hours, and one that is none always is', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'hf-end-'));
  const life = lifeOf(readFileSync(makeCertificates(folder).cert, 'utf8'));
  expect(certificateTrouble(life, Date.now())).toBeNull();
  expect(certificateTrouble(life, Date.now() + 1.9 * dayMs)).toContain('hours');
  expect(certificateTrouble(lifeOf('nothing'), now)).toContain("can't be read");
  await rm(folder, { recursive: true });
});

import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { connect } from 'node:tls';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makeCertificates } from '../../../test/support/certificates.ts';
import { waitFor } from '../../base/retry.ts';
import type { TlsFiles } from '../../spec/spec.ts';
import { renewTls, serveWith } from './renew-tls.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'hf-renew-'));
let files: TlsFiles;
let next: TlsFiles;
let server: Server;
let told: string[];
let stop: () => void;

const inFolder = (name: string) => {
  mkdirSync(path.join(folder, name), { recursive: true });
  return makeCertificates(path.join(folder, name));
};

beforeEach(async () => {
  files = inFolder('present');
  next = inFolder('next');
  told = [];
  server = createServer({ cert: readFileSync(files.cert), key: readFileSync(files.key) });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const take = (tls: Parameters<typeof serveWith>[1]) => serveWith(server, tls);
  stop = renewTls(
    { files, section: 'agent.tls', news: 'taken up', take, tell: (kind) => told.push(kind) },
    20,
  );
});
afterEach(() => {
  stop();
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

/** The serial number of the certificate that a new connection is shown. */
function shownSerial(): Promise<string> {
  return new Promise((resolve, reject) => {
    const { port } = server.address() as AddressInfo;
    const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false }, () => {
      resolve(socket.getPeerCertificate().serialNumber);
      socket.destroy();
    });
    socket.on('error', reject);
  });
}

const within = { withinMs: 5000, everyMs: 10 };

test('new files are taken up while it listens, also when one comes after the other', async () => {
  const before = await shownSerial();
  copyFileSync(next.cert, files.cert);
  copyFileSync(next.key, files.key);
  await waitFor(async () => (await shownSerial()) !== before, { what: 'the new certificate', ...within });
  expect(told.at(-1)).toBe('certificate-renewed');
});

test('what is no certificate is told once, and the one of before stays', async () => {
  const before = await shownSerial();
  writeFileSync(files.cert, 'not one');
  await waitFor(() => told.length > 0, { what: 'the event', ...within });
  expect(told).toEqual(['certificate-unread']);
  expect(await shownSerial()).toBe(before);
  copyFileSync(next.cert, files.cert);
  copyFileSync(next.key, files.key);
  await waitFor(() => told.length > 1, { what: 'the event of the next', ...within });
  expect(told.at(-1)).toBe('certificate-renewed');
});

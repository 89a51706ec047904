/** A deployment with an authority of its own: TLS everywhere, and certificates renewed under load. */
import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { connect } from 'node:tls';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { waitFor } from '../../src/base/retry.ts';
import type { ShownCertificate } from '../../src/certs/read-certificates.ts';
import { makeCertificates } from '../support/certificates.ts';
import { holdfast, TestDeployment } from '../support/deployment.ts';

let deployment: TestDeployment;
const own = (name: string) => path.join(deployment.folder, 'test.tls', name);
const ca = () => readFileSync(own('ca.pem'));

beforeAll(async () => {
  deployment = await TestDeployment.up({ security: { tls: 'auto' } });
  await deployment.waitUntilHealthy();
});
afterAll(() => deployment?.destroy());

/** The serial number of the certificate that a new connection to a port is shown; it is refused unless the authority made it. */
function serialAt(port: number, more: { cert?: Buffer; key?: Buffer; ca?: Buffer } = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, ca: ca(), ...more }, () => {
      const { serialNumber } = socket.getPeerCertificate();
      // With TLS 1.3 a server refuses a client's certificate after the client thinks that all is well.
      socket.on('data', () => {
        socket.destroy();
        resolve(serialNumber);
      });
      socket.write('PING\r\n');
    });
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('closed without an answer')));
    socket.setTimeout(5000, () => socket.destroy(new Error('no answer')));
  });
}

const everyPort = () => {
  const { members, sentinels, gate, replica } = deployment.ports;
  return [0, 1, 2].flatMap((at) => [members + at, sentinels + at]).concat(gate, replica);
};

test('every port has a certificate of the authority, whose key is for its owner only', async () => {
  const serials = new Set(
    await Promise.all([...everyPort(), deployment.ports.api].map((port) => serialAt(port))),
  );
  expect(serials.size).toBe(1);
  expect(statSync(own('ca.key')).mode & 0o777).toBe(0o600);
  expect(statSync(own('')).mode & 0o777).toBe(0o700);
});

test('who speaks no TLS, or shows a certificate of somebody else, is refused; and theirs is not believed', async () => {
  const other = makeCertificates(deployment.folder);
  const [cert, key, otherCa] = [other.cert, other.key, other.ca].map((file) => readFileSync(file));
  for (const port of everyPort()) await expect(deployment.client(port).ping()).rejects.toThrow();
  await expect(fetch(`http://127.0.0.1:${deployment.ports.api}/livez`)).rejects.toThrow();
  for (const port of [deployment.ports.members, deployment.ports.sentinels])
    await expect(serialAt(port, { cert: cert as Buffer, key: key as Buffer })).rejects.toThrow();
  for (const port of [...everyPort(), deployment.ports.api])
    await expect(serialAt(port, { ca: otherCa as Buffer })).rejects.toThrow();
});

test('all are renewed under load: nobody is disconnected, and every server has the new one', async () => {
  const before = await serialAt(deployment.ports.gate);
  const client = deployment.client(deployment.ports.gate, { tls: { ca: ca() }, retryStrategy: () => null });
  const closed: string[] = [];
  client.on('close', () => closed.push('closed'));
  let [running, acknowledged] = [true, 0];
  const load = (async () => {
    for (; running; acknowledged++) await client.incr('counter');
  })();
  const renewed = await deployment.run('certs', ['renew']);
  expect(renewed.stderr).not.toContain('error');
  expect(renewed.status).toBe(0);
  for (const port of [...everyPort(), deployment.ports.api]) {
    const isNew = async () => (await serialAt(port).catch(() => before)) !== before;
    await waitFor(isNew, { what: `the new certificate at port ${port}`, withinMs: 60_000, everyMs: 100 });
  }
  // The Sentinels were restarted a moment ago.
  await deployment.waitUntilHealthy(30_000);
  const moved = await deployment.run('switchover');
  expect(moved.status).toBe(0);
  running = false;
  await load;
  expect(closed).toEqual([]);
  expect(Number(await client.get('counter'))).toBe(acknowledged);
  await deployment.waitUntilHealthy();
});

test('holdfast certs says who has which until when; the deployment says of itself that it is healthy', async () => {
  const { stdout, status } = await holdfast(['certs', deployment.specFile, '--json']);
  expect(status).toBe(0);
  const all = JSON.parse(stdout) as ShownCertificate[];
  expect(all.map(({ of }) => of)).toEqual(['authority', 'local']);
  expect(all[1]?.names).toEqual(['127.0.0.1', 'localhost', '0:0:0:0:0:0:0:1']);
  const days = (Date.parse(all[1]?.validTo ?? '') - Date.now()) / 86_400_000;
  expect(days).toBeGreaterThan(364);
  expect((await deployment.waitUntilHealthy()).problems).toEqual([]);
});

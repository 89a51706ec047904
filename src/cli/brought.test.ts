import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { specTextThere, wantedFiles } from '../fleet/plan/wanted.ts';
import { parseSpec } from '../spec/parse.ts';
import { broughtBy } from './brought.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'hf-brought-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('what logs in elsewhere (mirrors, copies of requests, routes) goes to the hosts as secrets, and the spec there names them', () => {
  const file = (name: string, text: string) => {
    writeFileSync(path.join(folder, name), text, { mode: 0o600 });
    return name;
  };
  const access = (name: string) =>
    `to: "rediss://u@${name}", password: { file: ${file(name, `word of ${name}\n`)} }, ca: ${file(`${name}.pem`, `CA ${name}`)}`;
  const text = `name: orders
hosts: { a: { address: 10.0.1.55, ssh: a }, b: { address: 10.0.1.156, ssh: b }, c: { address: 10.0.1.201, ssh: c } }
mirrors: { x: { ${access('dr')} }, y: { ${access('next')}, how: requests } }
gate: { routes: { x: { ${access('west')}, prefixes: ["w:"] }, open: { to: "redis://h", prefixes: ["o:"] } } }`;
  const spec = parseSpec(text, path.join(folder, 'holdfast.yaml'));
  const on = { host: 'a', systemd: true, device: 'eth0' };
  const files = wantedFiles(spec, on as Parameters<typeof wantedFiles>[1], broughtBy(spec, null));
  const there = (name: string) => files.find((each) => each.path === `/etc/holdfast/orders.secrets/${name}`);
  for (const [name, of] of [
    ...([['mirror-x', 'dr'] as const, ['mirror-y', 'next'] as const, ['route-x', 'west'] as const] as const),
  ]) {
    expect(there(`${name}.password`)).toMatchObject({ text: `word of ${of}\n`, mode: '600', secret: true });
    expect(there(`${name}.ca`)).toMatchObject({ text: `CA ${of}`, mode: '600' });
  }
  const words = specTextThere(spec);
  for (const name of ['mirror-x', 'mirror-y', 'route-x'])
    expect(words).toContain(`/etc/holdfast/orders.secrets/${name}.password`);
  expect(words).not.toContain(folder);
});

test('a certificate that is not on this machine is named, with the part of the spec that has it', () => {
  const text = `name: orders
hosts: { a: { address: 10.0.1.55, ssh: a }, b: { address: 10.0.1.156, ssh: b }, c: { address: 10.0.1.201, ssh: c } }
security: { tls: { cert: nowhere.pem, key: nowhere.key, ca: ca.pem } }`;
  const spec = parseSpec(text, path.join(folder, 'holdfast.yaml'));
  expect(() => broughtBy(spec, null)).toThrow(
    /^security\.tls, which is brought to the hosts from this machine: cannot read .*nowhere\.pem: /,
  );
});

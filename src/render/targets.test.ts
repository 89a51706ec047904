import { expect, test } from 'vitest';
import { awkwardPassword, caseSpec, caseSpecs, renderCase } from '../../test/support/render-cases.ts';
import { parseSpec } from '../spec/parse.ts';
import { targetNamed, targetOptions, targets } from './targets.ts';

/** Targets that some specs are no good for, and options that a target can't do without. */
const needed: Record<string, string[]> = { keepalived: ['address=fd00::200/64'] };
const unfit = new Set([
  'keepalived quickstart',
  'keepalived three-hosts',
  'aws quickstart',
  'prometheus three-hosts',
]);

const cases = targets.flatMap(({ name }) =>
  Object.keys(caseSpecs)
    .filter((spec) => !unfit.has(`${name} ${spec}`))
    .map((spec) => [name, spec] as const),
);

test.each(cases)('render %s for %s is what was reviewed (vitest -u writes it anew)', async (target, name) => {
  const files = renderCase(target, caseSpec(name), needed[target]);
  const text = files
    .map((file) => `==> ${file.name}${file.secret ? ' (0600)' : ''} <==\n${file.text}`)
    .join('\n');
  await expect(text).toMatchFileSnapshot(`__snapshots__/${target}/${name}.txt`);
});

test.each(cases)(
  'render %s for %s is the same every time, and its secrets are in secret files only',
  (target, name) => {
    const spec = caseSpec(name);
    const files = renderCase(target, spec, needed[target]);
    expect(renderCase(target, spec, needed[target])).toEqual(files);
    for (const { text, secret } of files.filter((file) => !file.secret)) {
      expect(secret).toBe(false);
      expect(text).not.toContain('a secret for tests');
      expect(text).not.toContain('p"a');
    }
    expect(awkwardPassword).toContain('p"a');
  },
);

test('keepalived takes the virtual address from the spec', () => {
  const text = (more: string) =>
    `name: x\nhosts: { a: { address: 10.0.0.1, bind: 0.0.0.0 }, b: { address: 10.0.0.2, bind: 0.0.0.0 } }\nsentinel: { on: [a, b, b] }\n${more}`;
  expect(() => renderCase('keepalived', parseSpec(text(''), 'x'))).toThrow(/needs --set address/);
  const named = parseSpec(
    text('gate: { virtualAddress: { address: 10.0.0.9/24, interface: ens5, router: 7 } }'),
    'x',
  );
  const [first] = renderCase('keepalived', named);
  for (const line of ['10.0.0.9/24', 'interface ens5', 'virtual_router_id 7'])
    expect(first?.text).toContain(`    ${line}\n`);
});

test('a spec that a target can’t do is refused with the reason', () => {
  expect(() => renderCase('keepalived', caseSpec('quickstart'), ['address=10.0.0.9'])).toThrow(
    /two hosts or more/,
  );
  expect(() => renderCase('keepalived', caseSpec('three-hosts'), ['address=10.0.0.9'])).toThrow(
    /does not listen/,
  );
  expect(() => renderCase('aws', caseSpec('quickstart'))).toThrow(/hosts with IP addresses/);
  expect(() => renderCase('prometheus', caseSpec('three-hosts'))).toThrow(
    /can't reach the agents of a, b, c/,
  );
  expect(() => renderCase('prometheus', caseSpec('quickstart'), ['interval=0'])).toThrow(/from 1 to 120/);
  expect(() => renderCase('kubernetes', parseSpec('name: Big_Name', 'x'))).toThrow(/Kubernetes objects/);
  const folder = parseSpec('name: x\nbackup: { to: "file:///b" }', 'x');
  expect(() => renderCase('compose', folder)).toThrow(/goes with the container/);
  const tls = parseSpec('name: x\nsecurity: { tls: { cert: c, key: k, ca: a } }', 'x');
  expect(() => renderCase('kubernetes', tls)).toThrow(/security\.tls/);
  const api = parseSpec('name: x\nagent: { tls: { cert: c, key: k, ca: /a.pem } }', 'x');
  expect(() => renderCase('compose', api)).toThrow(/agent\.tls/);
});

test('options: unknown ones, missing ones and values', () => {
  const keepalived = targetNamed('keepalived');
  expect(() => targetOptions(keepalived, ['adress=1'])).toThrow(/no such option/);
  expect(() => targetOptions(keepalived, ['address'])).toThrow(/no value/);
  expect(targetOptions(keepalived, ['address=a=b'])).toMatchObject({ address: 'a=b', router: '' });
});

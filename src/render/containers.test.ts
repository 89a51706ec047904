import { readFileSync } from 'node:fs';
import { Ajv, type ValidateFunction } from 'ajv';
import { expect, test } from 'vitest';
import { parse, parseAllDocuments, stringify } from 'yaml';
import {
  awkwardPassword,
  caseSpec,
  caseSpecs,
  fileNamed,
  renderCase,
} from '../../test/support/render-cases.ts';
import { parseSpec } from '../spec/parse.ts';
import { deriveSecrets } from '../spec/secrets.ts';
import type { RenderedFile } from './target.ts';

const specs = Object.keys(caseSpecs);
const everythingOn = ['loadBalancer=true', 'serviceMonitor=true', 'storageClass=fast', 'namespace=redis'];

type Json = Record<string, unknown>;
interface Manifest {
  kind: string;
  metadata: { name: string; labels: Record<string, string> };
  spec?: unknown;
  data?: Record<string, string>;
  stringData?: Record<string, string>;
}

/** The published schema made strict: a key that it doesn't know is an error. */
function strict(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(strict);
  if (typeof schema !== 'object' || schema === null) return schema;
  const made = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, strict(value)])) as Json;
  const closed = 'properties' in made && !('additionalProperties' in made);
  return closed ? { ...made, additionalProperties: false } : made;
}

function kubernetesCheck(version: string): (manifest: Json) => string {
  const file = new URL(`../../test/fixtures/kubernetes/definitions-v${version}.json`, import.meta.url);
  const { definitions } = strict(JSON.parse(readFileSync(file, 'utf8'))) as { definitions: Json };
  const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false });
  ajv.addSchema({ $id: 'k8s', definitions });
  const folders: Record<string, string> = {
    v1: 'core.v1',
    'apps/v1': 'apps.v1',
    'policy/v1': 'policy.v1',
    'networking.k8s.io/v1': 'networking.v1',
  };
  return (manifest) => {
    const name = `io.k8s.api.${folders[String(manifest['apiVersion'])]}.${manifest['kind']}`;
    if (!(name in definitions)) return `no definition ${name}`;
    const check = ajv.getSchema(`k8s#/definitions/${name}`) as ValidateFunction;
    return check(manifest) ? '' : ajv.errorsText(check.errors, { dataVar: name });
  };
}

function manifestsOf(files: readonly RenderedFile[]): Json[] {
  return files.flatMap(({ text }) => parseAllDocuments(text).map((document) => document.toJS() as Json));
}

const isStandard = ({ kind }: Json) => kind !== 'ServiceMonitor' && kind !== 'PrometheusRule';

test.each(['1.30.0', '1.36.0'])('manifests are valid for Kubernetes %s, with no unknown field', (version) => {
  const check = kubernetesCheck(version);
  for (const spec of specs) {
    const manifests = manifestsOf(renderCase('kubernetes', caseSpec(spec), everythingOn)).filter(isStandard);
    expect(manifests.map((manifest) => manifest['kind'])).toContain('StatefulSet');
    for (const manifest of manifests) expect(check(manifest)).toBe('');
  }
  const [pod] = manifestsOf(renderCase('kubernetes', caseSpec('quickstart'))).filter(
    ({ kind }) => kind === 'StatefulSet',
  );
  expect(check({ ...pod, spce: {} })).toContain('additional properties');
});

/** What Helm would make of a chart: values put in, conditions decided. Only what `helmTemplate` writes is understood. */
function helm(text: string, values: Json): string {
  const at = (path: string) => path.split('.').reduce<unknown>((value, key) => (value as Json)[key], values);
  return text
    .replaceAll(
      /^ *\{\{- with \.Values\.(\w+) \}\}\n(.*)\n *\{\{- end \}\}\n/gm,
      (_all, key: string, line: string) =>
        at(key) === '' ? '' : `${line.replace('{{ . | quote }}', JSON.stringify(at(key)))}\n`,
    )
    .replace(
      /^\{\{- if \.Values\.(\w+) \}\}\n([\s\S]*)\{\{- end \}\}\n$/,
      (_all, key: string, body: string) => (at(key) ? body : ''),
    )
    .replaceAll(
      /\{\{ required "[^"]*" \(index \.Values\.secrets "([^"]+)"\) \| quote \}\}/g,
      (_all, key: string) => JSON.stringify((values['secrets'] as Json)[key]),
    )
    .replaceAll(/\{\{ \.Values\.(\w+)( \| quote)? \}\}/g, (_all, key: string, quote) =>
      quote ? JSON.stringify(at(key)) : String(at(key)),
    )
    .replaceAll('{{ "{{" }}', '{{');
}

test.each(specs)('the chart of %s, with its values, is the same as the plain manifests', (spec) => {
  for (const set of [
    [],
    [
      'storageClass=fast',
      'serviceAccount=redis',
      'loadBalancer=true',
      'serviceMonitor=true',
      'gateReplicas=5',
    ],
  ]) {
    const chart = renderCase('kubernetes', caseSpec(spec), [...set, 'helm=true']);
    const values = {
      ...parse(fileNamed(chart, `${caseSpec(spec).name}-chart/values.yaml`).text),
      ...parse(fileNamed(chart, 'secrets.yaml').text),
    };
    const templates = chart
      .filter(({ name }) => name.includes('/templates/'))
      .map((file) => ({ ...file, text: helm(file.text, values) }))
      .filter(({ text }) => text !== '');
    // What alerts say has braces of its own, for Prometheus.
    for (const { text } of templates) expect(text).not.toMatch(/@@|\{\{-? (?!\$)/);
    expect(manifestsOf(templates)).toEqual(manifestsOf(renderCase('kubernetes', caseSpec(spec), set)));
  }
});

test('the operator of Prometheus finds the agents, with the token they ask for, and the alerts', () => {
  for (const name of specs) {
    const all = manifestsOf(
      renderCase('kubernetes', caseSpec(name), ['serviceMonitor=true']),
    ) as unknown as Manifest[];
    const kind = (wanted: string) => all.filter((each) => each.kind === wanted);
    const only = (wanted: string) => kind(wanted)[0] as Manifest;
    const { selector, endpoints } = only('ServiceMonitor').spec as {
      selector: { matchLabels: Record<string, string> };
      endpoints: {
        port: string;
        path: string;
        authorization: { credentials: { name: string; key: string } };
      }[];
    };
    const [endpoint] = endpoints;
    const found = kind('Service').filter(({ metadata }) =>
      Object.entries(selector.matchLabels).every(([key, value]) => metadata.labels[key] === value),
    );
    expect(found).toHaveLength(1);
    const ports = ((found[0] as Manifest).spec as { ports: { name: string; port: number }[] }).ports;
    const inner = parse(kind('ConfigMap')[0]?.data?.['holdfast.yaml'] ?? '');
    expect(ports.find((each) => each.name === endpoint?.port)?.port).toBe(inner.agent.port);
    expect(endpoint?.path).toBe('/metrics');
    const { name: secretName, key } = endpoint?.authorization.credentials ?? { name: '', key: '' };
    const secret = kind('Secret').find(({ metadata }) => metadata.name === secretName);
    // What an agent in a pod makes of the secret that it is given.
    const innerSpec = parseSpec(stringify(inner), '/etc/holdfast/holdfast.yaml');
    const { apiToken } = deriveSecrets(innerSpec, secret?.stringData?.['secret'] ?? '', {});
    expect(secret?.stringData?.[key]).toBe(apiToken);
    const alerts = only('PrometheusRule').spec as { groups: { rules: { alert: string }[] }[] };
    expect(alerts.groups[0]?.rules.map(({ alert }) => alert)).toContain('HoldfastDown');
  }
});

test('the compose file is valid by the published schema', () => {
  const file = new URL('../../test/fixtures/compose/compose-spec.json', import.meta.url);
  const schema = JSON.parse(
    readFileSync(file, 'utf8').replace(
      'https://json-schema.org/draft-07/schema',
      'http://json-schema.org/draft-07/schema',
    ),
  );
  const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false });
  const check = ajv.compile(schema);
  for (const spec of specs) {
    const compose = parse(fileNamed(renderCase('compose', caseSpec(spec)), 'compose.yaml').text);
    expect(check(compose), ajv.errorsText(check.errors)).toBe(true);
    const [first] = Object.keys(compose.services);
    compose.services[first as string].imgae = 'x';
    expect(check(compose)).toBe(false);
  }
});

test.each(specs)(
  'the spec inside the containers of %s is valid, and places what the outer one does',
  (name) => {
    const outer = caseSpec(name);
    for (const [target, file] of [
      ['compose', 'holdfast.yaml'],
      ['kubernetes', 'spec.yaml'],
    ] as const) {
      const { text } = fileNamed(renderCase(target, outer), file);
      const inner = parseSpec(
        target === 'compose' ? text : parse(text).data['holdfast.yaml'],
        '/etc/holdfast/holdfast.yaml',
      );
      expect(inner.members).toHaveLength(outer.members.length);
      expect(inner.sentinels).toHaveLength(outer.sentinels.length);
      expect(new Set(inner.sentinels.map(({ host }) => host)).size).toBe(outer.sentinels.length);
      expect(inner.redis).toEqual({ ...outer.redis, binary: null });
      expect(inner.security.secret).toEqual({ file: '/run/secrets/holdfast/secret' });
    }
  },
);

test('awkward passwords survive in Secrets, in the chart’s values and in .env', () => {
  const spec = caseSpec('everything');
  const plain = manifestsOf([fileNamed(renderCase('kubernetes', spec), 'secrets.yaml')]);
  expect((plain[0] as { stringData: Json }).stringData['user-app']).toBe(awkwardPassword);
  const values = parse(fileNamed(renderCase('kubernetes', spec, ['helm=true']), 'secrets.yaml').text);
  expect(values.secrets['user-app']).toBe(awkwardPassword);
  const { text } = fileNamed(renderCase('compose', spec), '.env');
  const [, quoted = ''] = /^HOLDFAST_PASSWORD_1="(.*)"$/m.exec(text) ?? [];
  expect(quoted.replaceAll(/\\(.)/g, '$1')).toBe(awkwardPassword);
});

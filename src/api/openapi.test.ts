import { expect, test } from 'vitest';
import { namedSchemas, openApi } from './openapi.ts';
import { routes } from './routes.ts';

const document = openApi('1.2.3');

/** Every `$ref` anywhere in it. */
function references(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    key === '$ref' ? [String(inner)] : references(inner),
  );
}

test('every endpoint is in the document, once, and says what it needs', () => {
  const listed = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  );
  expect(listed.toSorted()).toEqual(routes.map(({ method, path }) => `${method} ${path}`).toSorted());
  expect(new Set(listed).size).toBe(listed.length);
});

test('each answer is listed with its status', () => {
  const answersOf = (path: string, method: string) =>
    Object.keys((document.paths[path] as Record<string, { responses: object }>)[method]?.responses ?? {});
  expect(answersOf('/api/operations', 'post')).toEqual(['202', '4XX', '5XX']);
  expect(answersOf('/healthz/write', 'get')).toEqual(['200', '503', '4XX', '5XX']);
  expect(JSON.stringify(document.paths['/api/events/stream'])).toContain('Last-Event-ID');
});

test('every reference leads to a schema', () => {
  const names = new Set(Object.keys(namedSchemas()).map((name) => `#/components/schemas/${name}`));
  expect(references(document).filter((each) => !names.has(each))).toEqual([]);
  expect(references(document)).toContain('#/components/schemas/View');
});

test('whatever changes something needs the role operate, but for a plan and one’s own session', () => {
  const changing = routes.filter(({ method }) => method !== 'GET');
  const exempt = ['/api/operations/plan', '/api/session'];
  for (const { path, needs } of changing) {
    expect(needs === 'operate' || exempt.includes(path), path).toBe(true);
  }
});

test('every field says what it means', () => {
  const silent = Object.entries(namedSchemas()).flatMap(([name, schema]) =>
    Object.entries((schema['properties'] ?? {}) as Record<string, { $ref?: string; description?: string }>)
      .filter(([, field]) => JSON.stringify(field).includes('"description"') === false && !('$ref' in field))
      .filter(([, field]) => !JSON.stringify(field).includes('"$ref"'))
      .map(([field]) => `${name}.${field}`),
  );
  expect(silent).toEqual([]);
});

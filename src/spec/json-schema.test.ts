import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { jsonSchemaText } from './json-schema.ts';

test('schema/holdfast.schema.json is what the schema generates (vitest -u writes it anew)', async () => {
  await expect(jsonSchemaText()).toMatchFileSnapshot('../../schema/holdfast.schema.json');
});

test('the JSON Schema accepts the examples, and refuses a misspelt key and a bare number as duration', () => {
  const check = new Ajv({ strict: false }).compile(JSON.parse(jsonSchemaText()));
  for (const name of ['quickstart', 'three-hosts']) {
    expect(check(parse(readFileSync(new URL(`../../examples/${name}.yaml`, import.meta.url), 'utf8')))).toBe(
      true,
    );
  }
  expect(check({ name: 'x', sentinal: {} })).toBe(false);
  expect(check({ name: 'x', sentinel: { detectAfter: 10 } })).toBe(false);
  expect(check({ name: 'x', security: { secret: 'hunter2' } })).toBe(false);
});

import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { asYaml } from './as-yaml.ts';

test('what is written is YAML that says the same', () => {
  const spec = {
    name: 'orders',
    redis: {
      members: 3,
      port: 7101,
      config: {},
      save: ['900 1', '300 10'],
      note: 'a: b',
      empty: '',
      on: null,
    },
    hosts: [
      { id: 'a', address: '10.0.0.1' },
      { id: 'b', address: '::1' },
    ],
    words: ['true', '12', ' x', '# no', "it's"],
  };
  expect(parse(asYaml(spec))).toEqual(spec);
});

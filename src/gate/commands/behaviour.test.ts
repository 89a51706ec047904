import { expect, test } from 'vitest';
import { behaviourOf } from './behaviour.ts';

test('a subcommand of CLIENT that is newer than this code may leave anything on its connection', () => {
  for (const name of ['client|import-source', 'client|nosuch', 'client']) {
    expect(behaviourOf(name, ['noscript', 'loading', 'stale'])).toEqual({ kind: 'foreign' });
  }
  expect(behaviourOf('client|setinfo', []).kind).toBe('plain');
  expect(behaviourOf('client|capa', [])).toEqual({ kind: 'clients', verb: 'capa' });
});

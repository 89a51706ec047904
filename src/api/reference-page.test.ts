import { expect, test } from 'vitest';
import { referencePage } from './reference-page.ts';

test('docs/api.md is what the schemas say (vitest -u writes it anew)', async () => {
  await expect(referencePage()).toMatchFileSnapshot('../../docs/api.md');
});

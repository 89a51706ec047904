import { expect, test } from 'vitest';
import { drillScenarios } from '../api/scenarios.ts';
import { scenarios } from './scenarios.ts';

test('the API offers every drill that needs one host, and no other', () => {
  const offered = scenarios.filter(({ hosts, onlyByName }) => hosts === 'one' && onlyByName !== true);
  expect(drillScenarios).toEqual(
    offered.map(({ name, given, when }) => ({ name, about: `Given ${given}: when ${when}.` })),
  );
});

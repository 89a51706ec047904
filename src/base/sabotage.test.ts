import { expect, test } from 'vitest';
import { sourceFiles } from '../../test/tidy/source.ts';
import { activeSabotages, isSabotaged, sabotage } from './sabotage.ts';

test('nothing is broken until a test breaks it', () => {
  expect(activeSabotages()).toEqual([]);
  sabotage(['no-holding']);
  expect(isSabotaged('no-holding')).toBe(true);
  expect(isSabotaged('no-empty-primary-guard')).toBe(false);
  expect(activeSabotages()).toEqual([
    'broken on purpose, no-holding: the gate holds no client: what must wait fails at once',
  ]);
});

test('what does not exist is refused, names of every object included', () => {
  expect(() => sabotage(['constructor'])).toThrow("there is no sabotage 'constructor'");
});

/** Drills start agents of deployments of their own so that they die at a certain step. */
const byDrills = 'src/testbed/sabotaged-agent.ts';

test('nothing in the product can switch one on, but for drills, in deployments of their own', () => {
  const callers = sourceFiles('src').filter(
    ({ name, text }) => !name.startsWith('src/base/sabotage') && /\bsabotage\(/.test(text),
  );
  expect(callers.map(({ name }) => name)).toEqual([byDrills]);
  const users = sourceFiles('src').filter(({ text }) => /sabotagedEnvironment\(/.test(text));
  expect(users.map(({ name }) => name)).toEqual(['src/testbed/holdfast-testbed.ts', byDrills]);
});

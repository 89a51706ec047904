import { expect, test } from 'vitest';
import { parseChangeMark } from './change-mark.ts';

const mark = {
  ...{ from: 'rdb', to: 'aof', stage: 'writing', aofBefore: null, rdbBefore: 'x' },
  ...{ savedFirst: true, startedAt: '2026-01-01T00:00:00.000Z' },
};

test('a mark is read as it was written', () => {
  expect(parseChangeMark(JSON.stringify(mark), 'f')).toEqual(mark);
});

test.each(['', '{"from":', '{}', JSON.stringify({ ...mark, to: 'both' })])(
  'one that holds %j is named, with what to do',
  (text) => {
    expect(() => parseChangeMark(text, '/s/persistence.json')).toThrowError(
      expect.objectContaining({
        code: 'STATE_DIR_UNUSABLE',
        message: expect.stringContaining('/s/persistence.json does not say'),
        hint: expect.stringContaining('remove the file'),
      }),
    );
  },
);

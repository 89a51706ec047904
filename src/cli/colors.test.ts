import fc from 'fast-check';
import { expect, test } from 'vitest';
import { shownLine } from '../base/shown.ts';
import { createColors, inColors } from './colors.ts';

const { red, bold, dim } = createColors(true);

test('colours of ours become sequences, one in another too', () => {
  expect(inColors(red(`a ${bold('b')} c`), shownLine)).toBe(
    '\u001b[31ma \u001b[1mb\u001b[22m\u001b[31m c\u001b[39m',
  );
  expect(inColors(bold(dim('x')), shownLine)).toBe('\u001b[1m\u001b[2mx\u001b[22m\u001b[1m\u001b[22m');
  expect(createColors(false).red('a')).toBe('a');
});

test('no sequence and no mark of others passes, inside our colours or beside them', () => {
  const text = `${red('mine \u001b[32mtheirs')} \u001b[31mred\u001b[0m \u0001guess+red\u0002`;
  expect(inColors(text, shownLine)).toBe(
    '\u001b[31mmine \\u001b[32mtheirs\u001b[39m \\u001b[31mred\\u001b[0m \\u0001guess+red\\u0002',
  );
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (theirs) => {
      expect(inColors(theirs, shownLine)).not.toMatch(/[\u0000-\u0008\u000a-\u001f\u007f-\u009f]/);
    }),
  );
});

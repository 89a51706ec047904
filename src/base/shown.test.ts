import { expect, test } from 'vitest';
import { shown, shownIn, shownLine, shownText } from './shown.ts';

test('what could act on a terminal or mislead a reader stands as an escape', () => {
  expect(shown('a\u001b[2Jb\r\nc\u0007')).toBe('a\\u001b[2Jb\\r\\nc\\u0007');
  expect(shown('user\u202etxt.exe')).toBe('user\\u202etxt.exe');
  expect(shown('zero\u200bwidth \u{e0041}')).toBe('zero\\u200bwidth \\u{e0041}');
  expect(shown('\u009b31m and \ud800')).toBe('\\u009b31m and \\ud800');
});

test('letters of every script and emoji stay', () => {
  for (const text of ['Grüße', 'привет', '数据', 'שלום', '🙂 ok']) expect(shown(text)).toBe(text);
});

test('what is too long is cut, and said to be', () => {
  expect(shown('x'.repeat(600), 10)).toBe('xxxxxxxxxx… (600 characters)');
});

test('every text in an answer is made fit, whatever else is in it stays', () => {
  const answer = { drift: [{ name: 'a\u001b[31mb', many: 3 }], none: null };
  expect(shownIn(answer)).toEqual({ drift: [{ name: 'a\\u001b[31mb', many: 3 }], none: null });
  expect(shownLine('hidden \u001b[8mfrom here on')).toBe('hidden \\u001b[8mfrom here on');
});

test('a line keeps its tabs, a text its ends too, and nothing else', () => {
  expect(shownText('error:\ta\nb\u001b[31m')).toBe('error:\ta\nb\\u001b[31m');
  expect(shownLine('error:\ta\nb')).toBe('error:\ta\\nb');
  expect(shownLine('\u001b]0;title\u0007\u001b[2J')).toBe('\\u001b]0;title\\u0007\\u001b[2J');
});

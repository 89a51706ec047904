import { expect, test } from 'vitest';
import { createScreen } from './screen.ts';

function target(isTTY: boolean, columns = 10, rows = 4) {
  const written: string[] = [];
  return { isTTY, columns, rows, written, write: (text: string) => written.push(text) };
}

test('a terminal is drawn over in place, within its size, and has its cursor again at the end', () => {
  const terminal = target(true);
  const screen = createScreen(terminal);
  screen.show(['short', '\u001b[31mred and too long\u001b[39m']);
  expect(terminal.written.at(-1)).toBe(
    '\u001b[Hshort\u001b[0m\u001b[K\n\u001b[31mred and\u001b[0m\u001b[K\n  \u001b[31mtoo long\u001b[39m\u001b[0m\u001b[K\n\u001b[J',
  );
  screen.show(['1', '2', '3', '4', '5']);
  expect(terminal.written.at(-1)).toContain('2\u001b[0m\u001b[K\n… 3 more\u001b[0m');
  screen.end();
  expect(terminal.written.at(-1)).toBe('\u001b[?25h');
});

test('a pipe is told only what changed, without a code of a terminal', () => {
  const pipe = target(false);
  const screen = createScreen(pipe);
  screen.show(['one', 'two']);
  screen.show(['one', 'two']);
  screen.show(['one', 'three']);
  screen.redraw();
  screen.end();
  expect(pipe.written).toEqual(['one\ntwo\n', 'one\nthree\n']);
});

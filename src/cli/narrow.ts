/** Lines and tables in as much room as a terminal has: columns that matter less go first, and nothing is cut without a sign. Pure. */
import { table } from './table.ts';

const colour = /\u001b\[\d{1,3}m/g;
const indent = '  ';

/** Rows, their head first, as lines of a table. @param goesFirst heads of columns, those first that are missed least */
export function fittedTable(
  rows: readonly (readonly string[])[],
  room: number,
  goesFirst: readonly string[],
) {
  let kept = rows;
  for (const head of goesFirst) {
    const lines = table(kept);
    if (lines.every((line) => line.length <= room)) return lines;
    const index = kept[0]?.indexOf(head) ?? -1;
    if (index >= 0) kept = kept.map((row) => row.filter((_, column) => column !== index));
  }
  return table(kept);
}

/** A line, its colours included, as lines no wider than that: what does not fit goes on below, a little to the right. */
export function wrapped(line: string, room: number): string[] {
  if (widthOf(line) <= room || room <= indent.length + 1) return [line];
  const out: string[] = [];
  let now = '';
  for (const word of line.split(/(?<=\S)(?= )/)) {
    for (const piece of piecesOf(word, room - indent.length)) {
      if (widthOf(now) + widthOf(piece) <= room) now += piece;
      else {
        out.push(now);
        now = `${indent}${coloursOf(now)}${piece.trimStart()}`;
      }
    }
  }
  return [...out, now];
}

function widthOf(text: string): number {
  return [...text.replace(colour, '')].length;
}

/** The colours that were begun: they go on in the next line. */
function coloursOf(text: string): string {
  return (text.match(colour) ?? []).join('');
}

/** A word that is wider than that, in pieces; one with a colour in it is as short as our own words are. */
function piecesOf(word: string, room: number): string[] {
  if (widthOf(word) <= room || word.includes('\u001b')) return [word];
  const all = [...word];
  return Array.from({ length: Math.ceil(all.length / room) }, (_, index) =>
    all.slice(index * room, (index + 1) * room).join(''),
  );
}

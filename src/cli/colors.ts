/**
 * The colours of the command line. A text that is coloured carries marks, which only this process can write, and no escape
 * sequence; where text leaves for a terminal, marks become sequences, and every sequence that was in it before is shown as an
 * escape. So what others wrote (names, events, errors) colours, hides and moves nothing, whichever way it came.
 */
import { randomBytes } from 'node:crypto';
import pc from 'picocolors';

const names = ['bold', 'dim', 'red', 'green', 'yellow', 'cyan'] as const;
type Name = (typeof names)[number];
export type Colors = Readonly<Record<Name, (text: string) => string>>;

const secret = randomBytes(9).toString('hex');
const marks = new RegExp(`(\u0001${secret}[+-][a-z]+\u0002)`);
const ansi = pc.createColors(true);

/** @param areUsed without them a text stays as it is. */
export function createColors(areUsed: boolean): Colors {
  const painter = (name: Name) => (text: string) =>
    areUsed ? `${mark('+', name)}${text}${mark('-', name)}` : text;
  return Object.fromEntries(names.map((name) => [name, painter(name)])) as Record<
    Name,
    ReturnType<typeof painter>
  >;
}

function mark(sign: '+' | '-', name: Name): string {
  return `\u0001${secret}${sign}${name}\u0002`;
}

/** For a terminal. @param makeFit makes what is no colour of ours fit to be shown. */
export function inColors(text: string, makeFit: (text: string) => string): string {
  const open: Name[] = [];
  return text
    .split(marks)
    .map((piece, index) => {
      if (index % 2 === 0) return makeFit(piece);
      const name = piece.slice(secret.length + 2, -1) as Name;
      if (piece[secret.length + 1] === '+') {
        open.push(name);
        return sequencesOf(name)[0];
      }
      open.pop();
      // The end of one may be the end of another round it, too.
      return [sequencesOf(name)[1], ...open.map((each) => sequencesOf(each)[0])].join('');
    })
    .join('');
}

function sequencesOf(name: Name): [begin: string, end: string] {
  const [begin = '', end = ''] = ansi[name]('\0').split('\0');
  return [begin, end];
}

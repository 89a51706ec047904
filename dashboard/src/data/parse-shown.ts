/**
 * Everything that the page shows comes through here: each text of an answer, and each name of a field, is made fit to be
 * shown before any component gets it. So no component can forget to.
 */
import { shown } from '../../../src/base/shown.ts';

/** Longer ones are cut: no answer holds a sentence of that length, and a browser takes seconds to lay one out. */
const longest = 20_000;

/** JSON, with what could hide, move or turn other text standing as an escape. Line ends and tabs stay. @throws SyntaxError */
export function parseShown(text: string): unknown {
  return fitted(JSON.parse(text));
}

/** A reviver of JSON.parse would be called for every figure of a history, of which there are hundreds of thousands. */
function fitted(value: unknown): unknown {
  if (typeof value === 'string') return fitText(value);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index += 1) {
      const each: unknown = value[index];
      if (typeof each !== 'number' && each !== null) value[index] = fitted(each);
    }
    return value;
  }
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [fitText(name), fitted(each)]));
}

function fitText(text: string): string {
  if (/^[\x20-\x7e]*$/.test(text) && text.length <= longest) return text;
  const cut = text.length > longest ? `${text.slice(0, longest)}…` : text;
  return cut
    .split(/([\n\t])/)
    .map((piece, index) => (index % 2 === 1 ? piece : shown(piece, Number.POSITIVE_INFINITY)))
    .join('');
}

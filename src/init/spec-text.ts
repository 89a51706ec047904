/** A spec as text, with what could not be carried over as comments beside the keys that it belongs to. */
import { Document, isMap, isScalar, type Pair, type YAMLMap } from 'yaml';
import { shownLine } from '../base/shown.ts';
import type { Note } from './found.ts';
import type { MadeSpec } from './spec-of.ts';

/** @param heading lines of the comment on top. */
export function specText({ spec, notCarried }: MadeSpec, heading: readonly string[]): string {
  const document = new Document(spec);
  document.commentBefore = heading.map((line) => ` ${shownLine(line)}`).join('\n');
  const comments = new Map<string, string[]>();
  for (const note of notCarried) {
    const place = JSON.stringify(placeIn(document.contents as YAMLMap, note.path));
    comments.set(place, [...(comments.get(place) ?? []), noteText(note)]);
  }
  for (const [place, lines] of comments) {
    const pair = pairAt(document.contents as YAMLMap, JSON.parse(place) as string[]);
    const text = lines.flatMap((line) => wrapped(line, 110)).join('\n');
    if (pair !== undefined && isScalar(pair.key)) pair.key.commentBefore = text;
    else document.commentBefore += `\n\n${text}`;
  }
  for (const name of ['redis', 'sentinel', 'agent', 'security']) {
    const pair = pairAt(document.contents as YAMLMap, [name]);
    if (pair !== undefined && isScalar(pair.key)) pair.key.spaceBefore = true;
  }
  return document.toString({ lineWidth: 0 });
}

export function noteText({ what, why }: Pick<Note, 'what' | 'why'>): string {
  return shownLine(`Not carried over: ${what.length > 300 ? `${what.slice(0, 300)}…` : what}: ${why}.`);
}

/** The key itself, or the nearest above it that is there. */
function placeIn(root: YAMLMap, path: readonly string[]): readonly string[] {
  for (let length = path.length; length > 0; length--) {
    const above = path.slice(0, length);
    if (pairAt(root, above) !== undefined) return above;
  }
  return [];
}

function pairAt(root: YAMLMap, path: readonly string[]): Pair | undefined {
  let found: Pair | undefined;
  let at: unknown = root;
  for (const key of path) {
    if (!isMap(at)) return undefined;
    found = at.items.find((each) => isScalar(each.key) && each.key.value === key);
    if (found === undefined) return undefined;
    at = found.value;
  }
  return found;
}

function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + word.length >= width) {
      lines.push(line);
      line = ' ';
    }
    line += ` ${word}`;
  }
  return [...lines, line];
}

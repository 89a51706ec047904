import { expect, test } from 'vitest';
import { sourceFiles } from './source.ts';

/** Fields that anybody may assign, and setters: `file: Class.field`. Classes are written as the formatter writes them. */
function openFields(name: string, text: string): string[] {
  const found: string[] = [];
  let owner: string | undefined;
  for (const line of text.split('\n')) {
    owner = /^(?:export )?(?:abstract )?class (\w+)/.exec(line)?.[1] ?? (line === '}' ? undefined : owner);
    if (owner === undefined) continue;
    const field = /^ {2}(?:(?:public|override|static|declare|accessor) )*(\w+)[?!]?(?:: [^(]*| = .*)$/.exec(
      line,
    )?.[1];
    const setter = /^ {2}(?:(?:public|override|static) )*set (\w+)\(/.exec(line)?.[1];
    const open = field ?? setter;
    if (open !== undefined) found.push(`${name}: ${owner}.${open}`);
  }
  return found;
}

test('state has one owner: no field of a class of the gate can be assigned by others', () => {
  const gate = sourceFiles('src/gate').filter(({ name }) => !name.endsWith('.test.ts'));
  expect(gate.flatMap(({ name, text }) => openFields(name, text))).toEqual([]);
});

test('what others may assign is found, and what they may not is passed over', () => {
  const text = `
export class Thing extends Other implements Shape {
  readonly fixed = 1;
  #own = 2;
  private hidden = 3;
  protected readonly kept: string;
  open = 4;
  typed: string | null = null;
  override later!: Map<string, number>;
  set name(value: string) {
    this.#own = value.length;
  }

  get size(): number {
    return this.#own;
  }

  method(): void {
    const inside = 1;
  }
}

interface Record {
  free: string;
}
`;
  expect(openFields('a.ts', text)).toEqual([
    'a.ts: Thing.open',
    'a.ts: Thing.typed',
    'a.ts: Thing.later',
    'a.ts: Thing.name',
  ]);
});

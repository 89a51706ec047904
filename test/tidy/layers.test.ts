import path from 'node:path';
import { expect, test } from 'vitest';
import { readProjectFile, sourceFiles } from './source.ts';

/** The table of docs/architecture.md: each folder of src in its row, with the folders that it may import from. */
const allowed = readLayers(readProjectFile('docs/architecture.md'));
const sources = sourceFiles('src').filter(({ name }) => !name.endsWith('.test.ts'));
const imports = new Map(sources.map(({ name, text }) => [name, importsOf(name, text)]));

test('every folder of src has its row in the table', () => {
  const folders = new Set(sources.map(({ name }) => folderOf(name)));
  expect([...folders].sort()).toEqual([...allowed.keys()].sort());
});

test('the rows are layers: what a folder imports from stands above it', () => {
  const rows = [...allowed.keys()];
  const upwards = [...allowed].flatMap(([folder, from]) =>
    from
      .filter((each) => rows.indexOf(each) === -1 || rows.indexOf(each) >= rows.indexOf(folder))
      .map((each) => `${folder} from ${each}`),
  );
  expect(upwards).toEqual([]);
});

test('a folder imports only from those that the table allows it, and from each of those', () => {
  const used = new Map<string, Set<string>>();
  for (const [name, targets] of imports) {
    const own = folderOf(name);
    const others = targets.map(folderOf).filter((folder) => folder !== own);
    used.set(own, new Set([...(used.get(own) ?? []), ...others]));
  }
  for (const [folder, from] of used) {
    expect([...from].sort(), `src/${folder} imports from`).toEqual([...(allowed.get(folder) ?? [])].sort());
  }
});

test('no files import each other in a circle', () => {
  expect(circlesOf(imports)).toEqual([]);
});

test('circles of files are found', () => {
  const files = { 'a.ts': ['b.ts'], 'b.ts': ['c.ts'], 'c.ts': ['a.ts', 'd.ts'], 'd.ts': [] };
  expect(circlesOf(new Map(Object.entries(files)))).toEqual([['a.ts', 'b.ts', 'c.ts']]);
});

test('the lowest layers open no sockets', () => {
  const pure = sources.filter(({ name }) => /^src\/(resp|rdb|spec|render)\//.test(name));
  const withSockets = pure.filter(({ text }) => /from 'node:(net|tls|http|https|dgram)'/.test(text));
  expect(withSockets.map(({ name }) => name)).toEqual([]);
});

function folderOf(name: string): string {
  return name.split('/')[1] ?? '';
}

/** The files that a file imports from, types included. */
function importsOf(name: string, text: string): string[] {
  return [...text.matchAll(/(?:from|import\()\s*'(\.[^']+)'/g)].map(([, target]) =>
    path.posix.join(path.posix.dirname(name), target ?? ''),
  );
}

function readLayers(page: string): Map<string, string[]> {
  const rows = page.matchAll(/^\| `([a-z]+)\/` \| [^|]+ \| ([^|]+) \|$/gm);
  return new Map(
    [...rows].map(([, folder = '', from = '']) => [folder, from.match(/[a-z]+/g) ?? []] as const),
  );
}

/** The groups of files that reach each other, each sorted (Tarjan's strongly connected components). */
function circlesOf(graph: ReadonlyMap<string, readonly string[]>): string[][] {
  const index = new Map<string, number>();
  const low = new Map<string, number>();
  const stack: string[] = [];
  const circles: string[][] = [];
  const visit = (file: string): number => {
    index.set(file, index.size);
    low.set(file, index.get(file) ?? 0);
    stack.push(file);
    for (const next of graph.get(file) ?? []) {
      if (!graph.has(next)) continue;
      const reached = index.has(next) ? (stack.includes(next) ? index.get(next) : undefined) : visit(next);
      if (reached !== undefined) low.set(file, Math.min(low.get(file) ?? 0, reached));
    }
    if (low.get(file) === index.get(file)) {
      const group = stack.splice(stack.indexOf(file));
      if (group.length > 1) circles.push(group.sort());
    }
    return low.get(file) ?? 0;
  };
  for (const file of graph.keys()) if (!index.has(file)) visit(file);
  return circles;
}

import { type Document, isScalar, LineCounter, type Node, parseDocument, visit } from 'yaml';
import { errorText } from '../base/errors.ts';
import { SpecInvalid } from './errors.ts';
import { normalise } from './normalise.ts';
import { describeIssues, locate, type Problem, pathText } from './problems.ts';
import { literalPasswords } from './rules/passwords.ts';
import { brokenRules } from './rules/rules.ts';
import { specSchema } from './schema.ts';
import type { Spec } from './spec.ts';

/**
 * Reads a spec: the YAML itself, then the shape of every key, then the rules about several keys together. Each stage
 * runs only when the one before found nothing, and reports everything that it finds.
 * @param fileName for messages, and the folder that relative paths in the spec start from.
 * @throws SPEC_INVALID listing every problem as `file:line:column: key: what was found; what is allowed`.
 */
export function parseSpec(text: string, fileName: string): Spec {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, logLevel: 'error' });
  const value = readValue(document, lines, fileName);
  const refuse = (problems: readonly Problem[]) => {
    if (problems.length > 0) throw invalid(problems, document.contents as Node | null, lines, fileName);
  };

  // A password written in the file has one answer, whatever else its place would allow.
  const passwords = literalPasswords(value);
  const taken = new Set(passwords.map(({ path }) => pathText(path)));
  const checked = specSchema.safeParse(value);
  const issues = checked.success ? [] : describeIssues(checked.error.issues, value);
  refuse([...passwords, ...issues.filter(({ path }) => !taken.has(pathText(path)))]);

  const file = specSchema.parse(value);
  const { spec, problems } = normalise(file, fileName);
  refuse(problems);
  refuse(brokenRules(spec, file));
  return spec;
}

function readValue(document: Document, lines: LineCounter, fileName: string): unknown {
  const faults = [...document.errors, ...document.warnings];
  if (faults.length > 0) {
    const found = faults.map(({ pos, message, code }) => {
      const { line, col } = lines.linePos(pos[0]);
      const text = code === 'DUPLICATE_KEY' ? 'this key is written twice in the same map; keep one' : message;
      return `${fileName}:${line}:${col}: ${text}`;
    });
    throw SpecInvalid(listed(found, `${fileName} is not valid YAML`), {
      hint: 'Correct the YAML; most often it is the indentation, or a tab where spaces belong.',
    });
  }
  const lost = lostKeys(document, lines).map(({ line, col }) => `${fileName}:${line}:${col}: ${lostKey}`);
  if (lost.length > 0) throw SpecInvalid(listed(lost, `${fileName} has ${lost.length} problems`));
  try {
    return document.toJS() ?? {};
  } catch (error) {
    throw SpecInvalid(`${fileName}: ${errorText(error)}`, { cause: error });
  }
}

const lostKey = "found '__proto__', which is no name for anything here: choose another";

/** JavaScript sets an object's prototype by this name: what stands under it would be passed over without a word. */
function lostKeys(document: Document, lines: LineCounter): { line: number; col: number }[] {
  const found: { line: number; col: number }[] = [];
  visit(document, {
    Pair: (_index, { key }) => {
      if (isScalar(key) && key.value === '__proto__') found.push(lines.linePos(key.range?.[0] ?? 0));
    },
  });
  return found;
}

function invalid(problems: readonly Problem[], root: Node | null, lines: LineCounter, fileName: string) {
  const placed = problems
    .map((problem) => ({ problem, ...locate(root, problem, lines) }))
    .toSorted((a, b) => a.line - b.line || a.column - b.column)
    .map(
      ({ problem, line, column }) =>
        `${fileName}:${line}:${column}: ${pathText(problem.path)}: ${problem.message}`,
    );
  const found = [...new Set(placed)];
  return SpecInvalid(listed(found, `${fileName} has ${found.length} problems`), {
    hint: 'docs/spec.md describes every key; schema/holdfast.schema.json has an editor check them as you type.',
  });
}

/** One problem is a line of its own; several are a list under a heading. */
function listed(found: readonly string[], heading: string): string {
  return found.length === 1
    ? (found[0] as string)
    : [`${heading}:`, ...found.map((line) => `  ${line}`)].join('\n');
}

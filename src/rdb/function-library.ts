/**
 * What can be read from the source of a function library without running it. The first line says the engine and the
 * name, `#!lua name=mylib`; functions are registered by calls, most of them with the name in quotes. Names of functions
 * are one space for all libraries, without regard to case: a server that loads two of the same name refuses all.
 * Source: redis src/functions.c, src/function_lua.c.
 */
const headBytes = 1024;

export function libraryName(code: Buffer): string {
  return (
    /^#!\S+[^\n]*?\bname=(?:"([^"\n]*)"|'([^'\n]*)'|([^\s]+))/
      .exec(code.toString('utf8', 0, headBytes))
      ?.slice(1)
      .find((name) => name !== undefined) ?? ''
  );
}

/** `lua`, in small letters. */
export function engineOf(code: Buffer): string {
  return /^#!(\S+)/.exec(code.toString('latin1', 0, headBytes))?.[1]?.toLowerCase() ?? '';
}

export interface RegisteredNames {
  /** In small letters. */
  names: string[];
  /** Registers others, whose names the code makes up when it runs. */
  hasOthers: boolean;
}

const call = /\bregister_function\b/g;
const quoted = String.raw`(?:"((?:[^"\\\n])*)"|'((?:[^'\\\n])*)'|\[\[([^\]\n]*)\]\])`;
const first = new RegExp(String.raw`^\s*\(?\s*${quoted}(?!\s*\.\.)`);
const named = new RegExp(String.raw`\bfunction_name\s*=\s*${quoted}(?!\s*\.\.)`);

/** The functions that a library registers, as far as their names stand in the code. */
export function registeredNames(code: Buffer): RegisteredNames {
  const text = withoutComments(code.toString());
  const found: RegisteredNames = { names: [], hasOthers: false };
  for (const { index } of text.matchAll(call)) {
    const rest = text.slice(index + 'register_function'.length, index + 2000);
    const table = /^\s*\(?\s*\{/.test(rest);
    const match = table ? named.exec(rest) : first.exec(rest);
    const name = match?.slice(1).find((each) => each !== undefined);
    if (name === undefined) found.hasOthers = true;
    else found.names.push(name.toLowerCase());
  }
  return found;
}

/** Lua's comments: to the end of the line, or between brackets. What stands in quotes is left alone, roughly. */
function withoutComments(text: string): string {
  return text.replace(/"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|--\[\[[\s\S]*?\]\]|--[^\n]*/g, (part) =>
    part.startsWith('--') ? ' ' : part,
  );
}

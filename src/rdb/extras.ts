import { cameWith } from './convert.ts';
import type { Unloadable } from './copy.ts';
import { libraryName, registeredNames } from './function-library.ts';
import { lacksModule, needsModule } from './module-types.ts';
import { can, type Target } from './target.ts';
import type { RdbWriter } from './writer.ts';

/**
 * Functions and module data outside the key space, which belong to a file as a whole. Out of several files the first
 * of each name is kept; what differs is told.
 */
export class ExtrasCopier {
  private readonly writer: RdbWriter;
  private readonly target: Target;
  private readonly onUnloadable: (unloadable: Unloadable) => void;
  private readonly libraries = new Map<string, Buffer>();
  /** Functions, by name, with the library that has them. */
  private readonly functions = new Map<string, string>();
  private readonly moduleData = new Map<string, true>();
  /** What can't be together: a library that came again with other code, or with functions that another one has. */
  readonly clashes: string[] = [];
  /** Libraries that register functions under names that only running them would tell, when there are several. */
  readonly unseen = new Set<string>();

  constructor(writer: RdbWriter, target: Target, onUnloadable: (unloadable: Unloadable) => void) {
    this.writer = writer;
    this.target = target;
    this.onUnloadable = onUnloadable;
  }

  get libraryCount(): number {
    return this.libraries.size;
  }

  functionLibrary(code: Buffer): void {
    const name = libraryName(code);
    const before = this.libraries.get(name);
    if (before !== undefined) {
      if (!before.equals(code)) this.clashes.push(`function library ${name} comes with other code`);
      return;
    }
    if (!can(this.target, 'functions')) {
      this.onUnloadable({
        what: 'function',
        reason: `library ${name}: ${cameWith('functions', 'functions')}`,
      });
      return;
    }
    const { names, hasOthers } = registeredNames(code);
    const taken = names.find((each) => this.functions.has(each));
    if (taken !== undefined) {
      const owner = this.functions.get(taken);
      this.clashes.push(`function library ${name} has a function ${taken}, and so has library ${owner}`);
      return;
    }
    for (const each of names) this.functions.set(each, name);
    if (hasOthers) this.unseen.add(name);
    this.libraries.set(name, Buffer.from(code));
    this.writer.functionLibrary(code);
  }

  /** @param bytes from the opcode on. @param moduleType the type that wrote them. */
  moduleAux(bytes: Buffer, moduleType: string): void {
    const reason = this.target.version < 9 ? 'it came with Redis 5.0' : lacksModule(this.target, moduleType);
    if (reason !== undefined) {
      this.onUnloadable({ what: 'module data', reason });
      return;
    }
    if (needsModule(this.target, moduleType)) {
      const needs = `needs a module with the type ${moduleType} there`;
      this.onUnloadable({ what: 'module data', reason: needs, kept: true });
    }
    const text = bytes.toString('latin1');
    if (this.moduleData.has(text)) return;
    this.moduleData.set(text, true);
    this.writer.bytes(bytes, 0, bytes.length);
    this.writer.settle();
  }
}

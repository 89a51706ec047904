import { type Flavor, type, typeInfo, unknownType } from '../format.ts';
import { BodyState } from './body-state.ts';
import { stepFieldExpiry } from './field-expiry.ts';
import { type BodyMode, bodyMode } from './mode.ts';
import { stepModule, stepModuleAux } from './module.ts';
import { stepPacked, stepQuicklist } from './packed.ts';
import { stepScored } from './scored.ts';
import { stepStream } from './stream.ts';
import { stepStrings } from './strings.ts';
import type { ValueVisitor } from './visitor.ts';

/**
 * Walks the body of one value as its bytes arrive. `step` does what it can and returns false when it needs more;
 * nothing but strings and packed blobs that must be looked into is ever held.
 */
export class BodyWalker extends BodyState {
  private advance: (walker: BodyState) => boolean = stepStrings;

  begin(typeByte: number, flavor: Flavor, mode: BodyMode, visitor: ValueVisitor | undefined): void {
    const info = typeInfo(typeByte, flavor);
    if (info === undefined) throw unknownType(typeByte, { flavor, version: 0 }, '', this.cursor.offset);
    this.restart(mode, visitor);
    this.type = typeByte;
    this.flavor = flavor;
    this.kind = info.kind;
    this.advance = stepOf(typeByte);
  }

  /** Starts on the module data outside the key space. */
  beginModuleAux(mode: BodyMode, visitor: ValueVisitor | undefined): void {
    this.restart(mode, visitor);
    this.kind = 'module';
    this.advance = stepModuleAux;
  }

  /** True once the whole body has been walked. */
  step(): boolean {
    if (!this.advance(this)) return false;
    if (this.mode === bodyMode.decode) this.visitor.end();
    return true;
  }

  private restart(mode: BodyMode, visitor: ValueVisitor | undefined): void {
    this.mode = mode;
    this.target = visitor;
    this.cursor.checkLzf = mode === bodyMode.check;
    this.phase = 0;
    this.left = 0;
    this.seen = 0;
    this.isEmpty = false;
    this.midString = false;
  }
}

function stepOf(typeByte: number): (walker: BodyState) => boolean {
  switch (typeByte) {
    case type.string:
    case type.list:
    case type.set:
    case type.hash:
      return stepStrings;
    case type.zset:
    case type.zset2:
      return stepScored;
    case type.listQuicklist:
    case type.listQuicklist2:
      return stepQuicklist;
    case type.streamListpacks:
    case type.streamListpacks2:
    case type.streamListpacks3:
    case type.streamListpacks4:
      return stepStream;
    case type.module2:
      return stepModule;
    case type.hashMetadata:
    case type.hashMetadataPreGa:
      return stepFieldExpiry;
    default:
      return stepPacked;
  }
}

import { bodyMode } from '../rdb/body/mode.ts';
import { describeUnloadable, type Unloadable } from '../rdb/copy.ts';
import { type as rdbType } from '../rdb/format.ts';
import { engineOf, libraryName } from '../rdb/function-library.ts';
import { KeyHash } from '../rdb/key-hash.ts';
import { KeyTable } from '../rdb/key-table.ts';
import { lacksModule } from '../rdb/module-types.ts';
import type { BodyWish, ScanHandler } from '../rdb/scan-handler.ts';
import type { ScanState } from '../rdb/scan-state.ts';
import { DoesNotFit } from './errors.ts';
import type { KeyChoice, Taker } from './restore-taker.ts';

const passOver: BodyWish = { mode: bodyMode.skip, raw: undefined };
const check: BodyWish = { mode: bodyMode.check, raw: undefined };
const shown = 5;

/**
 * Counts what goes by and finds what would end a server that loads it: values and data of modules that it lacks, a
 * library for an engine that it lacks, the same key twice, a database that it does not have. What only a look into
 * values, and a server, can tell is told to it (deadly-values.ts), so that there is one answer for all.
 */
export class RestoreCensus {
  readonly counts = { keys: 0, keysRead: 0, functions: 0 };
  readonly #taker: Taker;
  readonly #choice: KeyChoice | null;
  readonly #onUnloadable: (unloadable: Unloadable) => void;
  readonly #unfit: Unloadable[] = [];
  #unfitCount = 0;
  // Of chosen keys one that comes twice is met by RESTORE, which refuses it.
  readonly #keys: KeyTable | undefined;
  readonly #hash = new KeyHash();

  constructor(taker: Taker, choice: KeyChoice | null, onUnloadable: (unloadable: Unloadable) => void) {
    this.#taker = taker;
    this.#choice = choice;
    this.#onUnloadable = onUnloadable;
    this.#keys = choice === null ? new KeyTable() : undefined;
  }

  /** For those that find more while they copy. */
  readonly onUnloadable = (unloadable: Unloadable): void => {
    if (unloadable.kept !== true) {
      this.#unfitCount++;
      if (this.#unfit.length < shown) this.#unfit.push(unloadable);
      if (unloadable.what === 'key') this.counts.keys--;
      if (unloadable.what === 'function') this.counts.functions--;
    }
    this.#onUnloadable(unloadable);
  };

  watch(inner: ScanHandler): ScanHandler {
    const { counts } = this;
    let isPassedOver = false;
    return {
      ...inner,
      functionLibrary: (code) => {
        counts.functions++;
        const engine = engineOf(code);
        if (engine === 'lua') inner.functionLibrary?.(code);
        else
          this.onUnloadable({
            what: 'function',
            reason: `library ${libraryName(code)}: it is for ${engine}`,
          });
      },
      moduleAux: (scanner) => {
        const reason =
          this.#choice === null ? lacksModule(this.#taker.target, scanner.moduleType) : undefined;
        isPassedOver = reason !== undefined;
        if (reason !== undefined) this.onUnloadable({ what: 'module data', reason });
        return isPassedOver ? passOver : (inner.moduleAux?.(scanner) ?? check);
      },
      key: (scanner) => {
        counts.keysRead++;
        const isChosen = this.#choice?.test(scanner) ?? true;
        const reason = isChosen ? this.#misfit(scanner) : undefined;
        isPassedOver = !isChosen || reason !== undefined;
        if (isChosen) counts.keys++;
        if (reason !== undefined) {
          this.onUnloadable({ what: 'key', db: scanner.db, key: scanner.copyKey(), reason });
        }
        return isPassedOver ? passOver : inner.key(scanner);
      },
      raw: (buf, from, to) => inner.raw?.(buf, from, to),
      end: (scanner) => {
        if (!isPassedOver) inner.end?.(scanner);
      },
    };
  }

  /** @throws RESTORE_DOES_NOT_FIT */
  refuseUnlessAllFits(): void {
    if (this.#unfitCount === 0) return;
    const places = this.#unfit.map(describeUnloadable);
    const more = this.#unfitCount - places.length;
    const rest = more > 0 ? `; and ${more} more` : '';
    throw DoesNotFit(`${this.#taker.version} cannot hold all of it: ${places.join('; ')}${rest}`, {
      hint: 'Nothing was changed. Load the modules that are missing (redis.config.loadmodule), restore into a newer server, or leave those out with --drop-unsupported.',
    });
  }

  #misfit(scanner: ScanState): string | undefined {
    const { databases, target } = this.#taker;
    const db = this.#choice?.moves.get(scanner.db) ?? scanner.db;
    if (db >= databases) {
      return `it would go to database ${db}, and the primary has ${databases}; set redis.config.databases, or move it: --db ${scanner.db}=0`;
    }
    if (scanner.type === rdbType.module2) {
      const reason = lacksModule(target, scanner.moduleType);
      if (reason !== undefined) return reason;
    }
    return this.#isNew(scanner) ? undefined : 'it is in the file twice, and a server ends when it meets that';
  }

  #isNew({ db, keyBuf, keyStart, keyEnd }: ScanState): boolean {
    if (this.#keys === undefined) return true;
    this.#hash.update(db, keyBuf, keyStart, keyEnd);
    return this.#keys.add(this.#hash.a, this.#hash.b, this.#hash.c);
  }
}

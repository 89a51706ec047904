/** Data on its way into and out of the deployment: what this agent knows of it, and what its colleagues say. */
import { type ApiMigration, type ApiMigrations, type ApiMirrors, migrationsSchema } from '../../api/moves.ts';
import type { ApiMoves } from '../../api/view.ts';
import type { MirrorStatus } from '../mirrors/mirror-keeper.ts';
import type { RequestMirrorLine } from '../mirrors/request-mirror-lines.ts';
import { type Said, understood } from '../picture/understood.ts';
import { cutTroubles } from '../state/troubles.ts';
import { migrationsHere } from './migrations-answer.ts';
import { mirrorsHere, mirrorsOfAll, requestMirrorsHere } from './mirrors-answer.ts';
import { Remembered } from './remembered.ts';

const keptMs = 1000;
/** For what is only counted, each second, whether anybody looks or not. */
const countedMs = 5000;
const withinMs = 3000;

export interface MovesSources {
  host: string;
  /** That names the state directories of migrations. */
  migrationsFile: string;
  mirrors: () => readonly MirrorStatus[];
  /** Those with how: requests; none where no gate is. */
  requestMirrors: () => readonly RequestMirrorLine[];
  ask: (path: string, withinMs: number) => Promise<ReadonlyMap<string, Said>>;
  nowMs: () => number;
}

/** Its data does not come, though nobody stopped it: it failed, or its process died. */
export function migrationTrouble({ sources, phase, runs, failure }: ApiMigration): string | null {
  const from = sources.map(({ source }) => source).join(' and ');
  const name = `the migration${from === '' ? '' : ` from ${from}`}`;
  if (phase === 'failed') return `${name} failed: ${failure ?? 'it does not say why'}`;
  const why = failure === null ? '' : ` (${failure})`;
  const isMeantToRun = phase === 'running' || phase === 'cut-over';
  return isMeantToRun && !runs ? `${name} is run by no process${why}: holdfast migrate resume goes on` : null;
}

export class Moves {
  readonly #sources: MovesSources;
  readonly #migrations: Remembered<ApiMigrations>;
  #seen: ApiMigrations = { migrations: [], missing: [] };

  constructor(sources: MovesSources) {
    this.#sources = sources;
    const { migrationsFile, host, nowMs } = sources;
    this.#migrations = new Remembered(() => migrationsHere(migrationsFile, host), keptMs, nowMs);
  }

  /** How many there are on this host, as far as it was looked; has it looked again. */
  counts(): ApiMoves {
    void this.#migrations.get(countedMs).then((seen) => {
      this.#seen = seen;
    });
    const mirrors = this.#sources.mirrors();
    const { migrations } = this.#seen;
    const waiting = mirrors.flatMap(({ trouble }) => trouble ?? []);
    const stuck = migrations.filter(({ phase, runs }) => phase === 'failed' || !runs);
    const requests = this.#sources.requestMirrors();
    return {
      ...{ mirrors: mirrors.length + requests.length, migrations: migrations.length },
      unwell: waiting.length + stuck.length,
      troubles: cutTroubles([...waiting, ...migrations.flatMap((each) => migrationTrouble(each) ?? [])]),
    };
  }

  async mirrors(onlyHere: boolean): Promise<ApiMirrors> {
    const { host: here } = this.#sources;
    const mirrors = mirrorsHere(this.#sources.mirrors());
    const requests = requestMirrorsHere(this.#sources.requestMirrors(), here);
    const isAll = requests.length === 0 && mirrors.every(({ host }) => host === here);
    if (onlyHere || isAll) return { mirrors, requests, missing: [] };
    const told = await this.#sources.ask('/api/mirrors?only=here', withinMs);
    return mirrorsOfAll({ mirrors, requests }, told, here);
  }

  async migrations(onlyHere: boolean): Promise<ApiMigrations> {
    const own = await this.#migrations.get();
    if (onlyHere) return own;
    const all = { migrations: [...own.migrations], missing: [...own.missing] };
    for (const [host, said] of await this.#sources.ask('/api/migrations?only=here', withinMs)) {
      const read = understood(said, migrationsSchema);
      if ('answer' in read) {
        all.migrations.push(...read.answer.migrations.filter((each) => each.host === host));
        all.missing.push(...read.answer.missing.filter((each) => each.host === host));
      } else all.missing.push({ host, why: read.missing });
    }
    all.migrations.sort((a, b) => Date.parse(b.startedAt) - Date.parse(a.startedAt));
    return all;
  }
}

/** The drills that were run from here: what came of each, and its page, in a folder of the state directory. */
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import type { ApiDrills } from '../../api/findings.ts';
import { drillScenarios } from '../../api/scenarios.ts';
import { writeFileAtomic } from '../../base/atomic-file.ts';
import { makeFolder } from '../../base/make-folder.ts';
import { ApiNotFound } from '../errors.ts';

const keptRuns = 50;
const idRule = /^[0-9a-f]{16}$/;
const runSchema = z.object({
  id: z.string().regex(idRule),
  scenario: z.string().max(50),
  at: z.iso.datetime(),
  kept: z.boolean().nullable(),
});
export type DrillRun = z.infer<typeof runSchema>;

export class DrillRuns {
  readonly #folder: string;
  readonly #host: string;

  /** @param host of the agent that runs them */
  constructor(folder: string, host: string) {
    this.#folder = folder;
    this.#host = host;
  }

  /** Where the page of a run is to be written. */
  async pageFile(id: string): Promise<string> {
    await makeFolder(this.#folder, 0o700);
    return this.#file(id, 'html');
  }

  async note(run: DrillRun): Promise<void> {
    await writeFileAtomic(this.#file(run.id, 'json'), `${JSON.stringify(run)}\n`);
    for (const { id } of this.#runs().slice(keptRuns)) {
      for (const kind of ['json', 'html'] as const) rmSync(this.#file(id, kind), { force: true });
    }
  }

  list(): ApiDrills {
    // One that was given up has none.
    const pageOf = (id: string) => (existsSync(this.#file(id, 'html')) ? `/api/drills/${id}/page` : null);
    const runs = this.#runs().map((run) => ({ ...run, host: this.#host, page: pageOf(run.id) }));
    return { scenarios: drillScenarios.map((each) => ({ ...each })), runs, missing: [] };
  }

  /** @throws API_NOT_FOUND */
  async page(id: string): Promise<string> {
    const text = idRule.test(id)
      ? await readFile(this.#file(id, 'html'), 'utf8').catch(() => undefined)
      : undefined;
    if (text !== undefined) return text;
    throw ApiNotFound(`there is no page of a drill ${id.slice(0, 40)}`, {
      hint: 'GET /api/drills lists them.',
    });
  }

  #file(id: string, kind: 'json' | 'html'): string {
    return path.join(this.#folder, `${id}.${kind}`);
  }

  /** Newest first. */
  #runs(): DrillRun[] {
    let names: string[];
    try {
      names = readdirSync(this.#folder).filter((name) => name.endsWith('.json'));
    } catch {
      return [];
    }
    const runs = names.flatMap((name) => {
      const parsed = runSchema.safeParse(jsonIn(path.join(this.#folder, name)));
      return parsed.success ? [parsed.data] : [];
    });
    return runs.toSorted((a, b) => (a.at < b.at ? 1 : -1));
  }
}

function jsonIn(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

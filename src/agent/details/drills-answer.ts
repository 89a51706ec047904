/** The drills that were run from the agents of all hosts. Pure. */
import { type ApiDrills, drillsSchema } from '../../api/findings.ts';
import { type Said, understood } from '../picture/understood.ts';

/** @param told by host, what the other agents said of theirs: their pages lie there */
export function drillsOfAll(own: ApiDrills, told: ReadonlyMap<string, Said>): ApiDrills {
  const runs = [...own.runs];
  const missing = [...own.missing];
  for (const [host, said] of told) {
    const read = understood(said, drillsSchema);
    if ('answer' in read) runs.push(...read.answer.runs.map((run) => ({ ...run, host, page: null })));
    else missing.push({ host, why: read.missing });
  }
  return { ...own, runs: runs.toSorted((a, b) => Date.parse(b.at) - Date.parse(a.at)), missing };
}

import { isFile, type Plan } from '../plan.ts';

/** Why the old side can't follow the new one behind the cut-over; null when it can. Pure. */
export function whyNotBack({
  method,
  isAlone,
  sources,
}: Pick<Plan, 'method' | 'isAlone' | 'sources'>): string | null {
  if (sources.some(({ url }) => isFile(url))) return 'a source is a file';
  if (method === 'scan') return 'by scan the new side is not followed';
  if (!isAlone)
    return sources.length > 1
      ? 'of what is written there nobody can tell to which of the sources it belongs'
      : 'the target held other data already, from which what is written can’t be told';
  const [source] = sources;
  const isSame = source!.dbs.length === 0 && source!.prefix === '' && source!.match.length === 0;
  return isSame ? null : 'keys have other names there, or databases other numbers, or only some were carried';
}

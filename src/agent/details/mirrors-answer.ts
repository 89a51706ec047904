/** The mirrors of the spec as the API tells them: whoever runs one knows how it is. Pure. */
import { type ApiMirror, type ApiMirrors, type ApiRequestMirror, mirrorsSchema } from '../../api/moves.ts';
import type { MirrorStatus } from '../mirrors/mirror-keeper.ts';
import type { RequestMirrorLine } from '../mirrors/request-mirror-lines.ts';
import { type Said, understood } from '../picture/understood.ts';

const longest = 1000;

/** As this agent knows them: of those that another host runs, not how they are. */
export function mirrorsHere(status: readonly MirrorStatus[]): ApiMirror[] {
  return status.map(({ state, lagSeconds, queueSeconds, problem, to, trouble: _trouble, ...rest }) => ({
    ...rest,
    to: to.slice(0, longest),
    // What is mirrored has no end, and no comparison behind its copy.
    state: state === 'elsewhere' || state === 'done' || state === 'comparing' ? 'unknown' : state,
    lagMs: lagSeconds === null ? null : lagSeconds * 1000,
    queueMs: queueSeconds === null ? null : queueSeconds * 1000,
    problem: problem === null ? null : problem.slice(0, longest),
  }));
}

/** As the gates of this host know them. */
export function requestMirrorsHere(lines: readonly RequestMirrorLine[], host: string): ApiRequestMirror[] {
  return lines.map(({ to, state, reason, ...rest }) => ({
    ...{ ...rest, host, to: to.slice(0, longest), state: state ?? 'unknown' },
    problem: reason === null ? null : reason.slice(0, longest),
  }));
}

/**
 * @param own as this agent knows them. @param told by host, what the other agents said of theirs. @param here the host of this agent
 */
export function mirrorsOfAll(
  { mirrors: own, requests: ownRequests }: Omit<ApiMirrors, 'missing'>,
  told: ReadonlyMap<string, Said>,
  here: string,
): ApiMirrors {
  const missing: ApiMirrors['missing'] = [];
  const answers = new Map<string, readonly ApiMirror[]>();
  const requests = [...ownRequests];
  for (const [host, said] of told) {
    const read = understood(said, mirrorsSchema);
    if ('answer' in read) {
      answers.set(host, read.answer.mirrors);
      requests.push(...read.answer.requests.filter((each) => each.host === host));
    } else if (ownRequests.length > 0 || own.some((each) => each.host === host))
      missing.push({ host, why: read.missing });
  }
  const mirrors = own.map((each) => {
    if (each.host === null || each.host === here) return each;
    const its = answers.get(each.host)?.find(({ name }) => name === each.name);
    return its ?? each;
  });
  return { mirrors, requests, missing };
}

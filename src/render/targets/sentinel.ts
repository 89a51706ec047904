import type { Member } from '../../spec/spec.ts';
import { renderSentinelConf } from '../sentinel-conf.ts';
import { placesOf, type Target } from '../target.ts';

/** sentinel.conf of each Sentinel, as the agent writes it for a new deployment. */
export const sentinelTarget: Target = {
  name: 'sentinel',
  summary: 'sentinel.conf of each Sentinel',
  render(input) {
    const { spec, secrets, paths } = input;
    const primary = spec.members[0] as Member;
    return placesOf(input, spec.sentinels).map((sentinel) => {
      const files = { dir: paths.sentinel(sentinel.id).folder, logFile: '' };
      const text = renderSentinelConf({ spec, sentinel, paths: files, secrets, primary });
      return { name: `${sentinel.id}/sentinel.conf`, text, secret: true };
    });
  },
};

import type { Member } from '../../spec/spec.ts';
import { renderRedisConf } from '../redis-conf.ts';
import { placesOf, type Target } from '../target.ts';
import { renderUsersAcl } from '../users-acl.ts';

/** redis.conf and the ACL file of each member, as the agent writes them for a new deployment. */
export const redisTarget: Target = {
  name: 'redis',
  summary: 'redis.conf and users.acl of each member',
  render(input) {
    const { spec, secrets, paths } = input;
    const selectors = Number.parseInt(spec.redis.version ?? '7', 10) >= 7;
    const first = spec.members[0] as Member;
    return placesOf(input, spec.members).flatMap((member) => {
      const { dataDir, aclFile, socket } = paths.member(member.id);
      const primary = member.id === first.id ? null : first;
      const files = { dataDir, aclFile, logFile: '', unixSocket: socket };
      return [
        {
          name: `${member.id}/redis.conf`,
          text: renderRedisConf({ spec, member, paths: files, secrets, primary }),
          secret: true,
        },
        { name: `${member.id}/users.acl`, text: renderUsersAcl({ spec, secrets, selectors }), secret: true },
      ];
    });
  },
};

/**
 * Has the servers of this host go on with a certificate that was renewed, without a restart. CONFIG SET with the path that a
 * member has already makes it read the files again (these settings are "volatile" in Redis's config.c, and applied each time
 * all together); connections that are open stay. Gates look at the files by themselves. Sentinels have no such command: they
 * are told of, because they read their files only when they start.
 */
import { type Renewal, renewTls } from '../api/renew-tls.ts';
import type { Deployment, LiveMember } from '../deployment.ts';
import { certificateTrouble, lifeOf } from './certificate-trouble.ts';

const againMs = 5000;

/** @returns what ends it. */
export function renewServerTls(deployment: Deployment): () => void {
  const { spec, setting, events } = deployment;
  const files = spec.security.tls;
  if (files === null) return () => {};
  /** Members that have not taken it yet: they load their data, or hang. */
  const behind = new Set<LiveMember>();
  const tellMembers = async () => {
    for (const member of [...behind]) {
      // One that is started later reads the files then.
      if (!member.unit?.process.running) behind.delete(member);
      else
        await member.watch.client.setConfig('tls-cert-file', files.cert).then(
          () => behind.delete(member),
          () => {},
        );
    }
  };
  let life = lifeOf(setting.tls?.cert ?? '');
  const look = () => {
    deployment.troubles.note('certificate', certificateTrouble(life, setting.clock.wallMs()));
    void tellMembers();
  };
  look();
  const timer = setInterval(look, againMs);
  const take: Renewal['take'] = (tls) => {
    setting.tls?.renew(tls);
    life = lifeOf(tls.cert);
    for (const member of deployment.members) if (member.unit !== null) behind.add(member);
    look();
  };
  const tell: Renewal['tell'] = (kind, text) => void events.add(kind, spec.name, text);
  const here = deployment.sentinels.flatMap(({ place, unit }) => (unit === null ? [] : [place.id]));
  const later = here.length === 0 ? '' : `; restarted, ${here.join(' and ')} will too`;
  const news = `members and gates go on with the certificate that is in ${files.cert} now${later}`;
  const stop = renewTls({ files, section: 'security.tls', news, take, tell });
  return () => {
    clearInterval(timer);
    stop();
  };
}

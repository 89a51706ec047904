/** From what a plan names to what can be connected to: passwords out of their files, a deployment out of its spec. */
import { errorText } from '../base/errors.ts';
import { readSecretFile } from '../base/private-file.ts';
import type { Plan } from '../migrate/plan.ts';
import { parseServerName } from '../migrate/source-url.ts';
import type { Credentials } from '../redis/endpoint.ts';
import { readTls } from '../redis/tls.ts';
import { loadSecrets } from '../spec/secrets.ts';
import type { SourceAddress } from '../stream/source-address.ts';
import type { TargetPlace } from '../stream/target-writer.ts';
import { clientCredentials } from './client-credentials.ts';
import { BadOption } from './errors.ts';
import { openTarget } from './target.ts';

/** @throws BAD_OPTION for a file that can't be read */
export function sourceAddress({ url, passwordFile }: Plan['sources'][number]): SourceAddress {
  const name = parseServerName(url);
  const credentials = credentialsFrom(name.username, passwordFile);
  if (name.kind === 'sentinel')
    return { kind: 'sentinel', sentinels: name.sentinels, name: name.name, credentials };
  return { kind: 'server', address: name.host, port: name.port, credentials, tls: name.tls ? {} : undefined };
}

/** Writes of a deployment go through its first gate, which follows the primary. */
export async function targetPlace(target: Plan['target']): Promise<TargetPlace & { name: string }> {
  if ('url' in target) {
    const name = parseServerName(target.url);
    if (name.kind === 'sentinel') {
      throw BadOption(`--to ${target.url}: a target is one address that takes writes`, {
        hint: 'Name the server, or the read-write port of a gate or proxy before it.',
      });
    }
    const { host, port, username } = name;
    const credentials = credentialsFrom(username, target.passwordFile);
    return { name: target.url, endpoint: { host, port }, credentials, tls: name.tls ? {} : undefined };
  }
  const { spec, paths } = await openTarget(
    target.spec,
    target.stateDir === null ? {} : { stateDir: target.stateDir },
  );
  const gate = spec.gates[0];
  if (gate === undefined)
    throw BadOption(`${spec.name} has no gate`, { hint: 'Name its primary: --to redis://host:port.' });
  const secrets = await loadSecrets(spec, paths.secret);
  const credentials = clientCredentials(
    spec,
    secrets,
    target.user ?? undefined,
    (names) => `--user with one of ${names}, who may write all keys.`,
  );
  const tls = await readTls(spec.security.tls);
  return { name: spec.name, endpoint: { host: gate.address, port: gate.port }, credentials, tls };
}

function credentialsFrom(username: string, passwordFile: string | null): Credentials | undefined {
  if (passwordFile === null) {
    if (username === '') return undefined;
    throw BadOption(`the user ${username} has no password file`, {
      hint: 'Name it with --source-password-file or --target-password-file.',
    });
  }
  return { username, password: passwordIn(passwordFile) };
}

function passwordIn(file: string): string {
  try {
    const text = readSecretFile(file)
      .toString('utf8')
      .replace(/\r?\n$/, '');
    if (text === '' || /[\r\n\0]/.test(text)) throw new Error('it must hold one line');
    return text;
  } catch (cause) {
    throw BadOption(`cannot read the password in ${file}: ${errorText(cause)}`, { cause });
  }
}

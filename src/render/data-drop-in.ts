import type { Spec } from '../spec/spec.ts';

/**
 * The unit of the agent lets it write to its own state only; data of servers that ran before stays where it is. What lets it
 * write there too, for systemd; null when all of it lies in the state directory.
 * @param folders of data. @param state the state directory
 */
export function dataDropIn(
  { name }: Pick<Spec, 'name'>,
  folders: readonly (string | null)[],
  state: string,
): { folder: string; file: string; text: string } | null {
  const outside = folders.flatMap((each) => (each === null || each.startsWith(`${state}/`) ? [] : [each]));
  if (outside.length === 0) return null;
  const isHome = outside.some((folder) => /^\/(home|root|run\/user)\//.test(folder));
  const folder = `/etc/systemd/system/holdfast-${name}.service.d`;
  const text = [
    '# Data of servers that ran before holdfast did stays where it is. Made by holdfast adopt.',
    '[Service]',
    `ReadWritePaths=${outside.map((each) => `-"${each.replaceAll('%', '%%')}"`).join(' ')}`,
    ...(isHome ? ['ProtectHome=no'] : []),
    '',
  ].join('\n');
  return { folder, file: `${folder}/data.conf`, text };
}

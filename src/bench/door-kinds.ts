/** What may stand before the server, and the server itself, by the words of `--doors`. */
export const doorKinds = [
  'direct',
  'gate',
  'workers',
  'routes',
  'mirrored',
  'mirror',
  'haproxy',
  'twemproxy',
] as const;
export type DoorKind = (typeof doorKinds)[number];

/** Not these: `workers` has more threads than the others, and `mirror` is another deployment, which takes its time to start. */
const unusual: readonly DoorKind[] = ['workers', 'mirror'];
export const usualDoors: readonly DoorKind[] = doorKinds.filter((kind) => !unusual.includes(kind));

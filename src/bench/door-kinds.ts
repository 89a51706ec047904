/** What may stand before the server, and the server itself, by the words of `--doors`. */
export const doorKinds = ['direct', 'gate', 'routes', 'mirrored', 'mirror', 'haproxy', 'twemproxy'] as const;
export type DoorKind = (typeof doorKinds)[number];

/** `mirror` is another deployment, which takes its time to start. */
export const usualDoors: readonly DoorKind[] = doorKinds.filter((kind) => kind !== 'mirror');

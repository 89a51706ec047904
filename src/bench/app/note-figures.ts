/**
 * What the operators' note measured that this benchmark remakes: Spring Boot, MariaDB and Redis on Kubernetes, nGrinder
 * with virtual users that do not pause, for two minutes each, on one replica of the application. Requests a second.
 */
import type { AppRequest, AppStore } from './app.ts';

type NoteStore = Exclude<AppStore, 'replicated'>;

const figures: readonly (AppRequest & { users: number; tps: Record<NoteStore, number> })[] = [
  {
    ...{ method: 'GET', rows: 10, users: 1000 },
    tps: { mariadb: 2600, redis: 3630, 'aof-everysec': 3600, 'aof-always': 3650 },
  },
  {
    ...{ method: 'GET', rows: 10, users: 2000 },
    tps: { mariadb: 2600, redis: 2860, 'aof-everysec': 3000, 'aof-always': 3090 },
  },
  {
    ...{ method: 'GET', rows: 10, users: 3000 },
    tps: { mariadb: 2210, redis: 2310, 'aof-everysec': 2440, 'aof-always': 2370 },
  },
  {
    ...{ method: 'GET', rows: 1000, users: 1000 },
    tps: { mariadb: 180, redis: 1620, 'aof-everysec': 1560, 'aof-always': 1580 },
  },
  {
    ...{ method: 'POST', rows: 1, users: 1000 },
    tps: { mariadb: 1550, redis: 3170, 'aof-everysec': 2410, 'aof-always': 2300 },
  },
  {
    ...{ method: 'POST', rows: 1, users: 2000 },
    tps: { mariadb: 1530, redis: 3270, 'aof-everysec': 2310, 'aof-always': 2200 },
  },
  {
    ...{ method: 'POST', rows: 1, users: 3000 },
    tps: { mariadb: 1370, redis: 2840, 'aof-everysec': 2100, 'aof-always': 1900 },
  },
];

/** Null where the note has none. */
export function noteFigure(request: AppRequest, users: number, store: AppStore): number | null {
  if (store === 'replicated') return null;
  const found = figures.find(
    (each) => each.method === request.method && each.rows === request.rows && each.users === users,
  );
  return found?.tps[store] ?? null;
}

export const noteOnKills =
  'The note killed the only Redis under 1000 users and had Kubernetes start it again: 2600 to 2700 requests a second, 0.1% errors over three minutes, and the usual throughput again within 10 s.';

import { expect, test } from 'vitest';
import { z } from 'zod';
import { clientsSchema } from './details.ts';
import { eventSchema } from './events.ts';
import { doctorSchema, drillsSchema } from './findings.ts';
import { jobSchema } from './jobs.ts';
import { migrationsSchema, mirrorsSchema } from './moves.ts';
import { ofAnyRelease } from './of-any-release.ts';
import { hostReportSchema } from './view.ts';

const process = z.object({ id: z.string(), state: z.enum(['up', 'down']), pid: z.int().nullable() });
const report = ofAnyRelease(
  z.object({
    host: z.string(),
    version: z.string().nullable(),
    troubles: z.array(z.string()).max(3).default([]),
    load: z.object({ one: z.number(), five: z.number().nullable() }).nullable(),
    classes: z.record(z.string(), z.number()),
    processes: z.array(process),
  }),
);
const told = {
  ...{ host: 'b', version: '0.1.0', troubles: ['no room'], load: { one: 1, five: 2 }, classes: { read: 1 } },
  processes: [{ id: 'redis-1', state: 'up', pid: 7 }],
};

test('an answer of this release is read as it is', () => {
  expect(report.parse(told)).toEqual(told);
});

test('of what an agent of another release does not say nothing is known, and what it says beside is left out', () => {
  expect(report.parse({ host: 'b', classes: {}, processes: [] })).toEqual({
    ...{ host: 'b', version: null, troubles: [], load: null, classes: {}, processes: [] },
  });
  expect(report.parse({ ...told, mood: 'fine', load: { one: 1, ten: 3 } })).toEqual({
    ...told,
    load: { one: 1, five: null },
  });
});

test('what can not be read costs that field, or that entry of a list, and no more', () => {
  const processes = [
    { id: 'redis-1', state: 'dreaming', pid: 7 },
    { id: 'redis-2', state: 'up', pid: 'x' },
    3,
  ];
  const odd = { version: 9, troubles: ['a', 3], load: 'high', classes: { read: 1, odd: 'x' }, processes };
  expect(report.parse({ ...told, ...odd })).toEqual({
    ...{ host: 'b', version: null, troubles: ['a'], load: null, classes: { read: 1 } },
    processes: [{ id: 'redis-2', state: 'up', pid: null }],
  });
  expect(report.parse({ ...told, troubles: ['a', 'b', 'c', 'd'] }).troubles).toEqual([]);
});

test('what must be there must be there', () => {
  for (const wrong of [null, [], 'x', { ...told, host: undefined }, { ...told, processes: undefined }])
    expect(report.safeParse(wrong).success).toBe(false);
});

/** Fields that every answer has, without which it, or what it stands in, is not read. */
function demanded(schema: z.ZodType, path = ''): string[] {
  const within = (inner: unknown, name: string) => demanded(inner as z.ZodType, name);
  if (schema instanceof z.ZodNullable || schema instanceof z.ZodOptional || schema instanceof z.ZodDefault) {
    return within(schema.unwrap(), path).filter((each) => each !== path);
  }
  if (schema instanceof z.ZodArray) {
    const entry = `${path}[]`;
    return [path, ...within(schema.element, entry).filter((each) => each !== entry)];
  }
  if (!(schema instanceof z.ZodObject)) return [path];
  const fields = Object.entries(schema.shape).flatMap(([name, field]) =>
    within(field, path === '' ? name : `${path}.${name}`),
  );
  return path === '' ? fields : [path, ...fields];
}

const place = (path: string) => `${path}.id ${path}.host ${path}.address ${path}.port`;
const missing = 'missing missing[].host missing[].why';
const [member, sentinel, gate] = ['members[]', 'sentinels[]', 'gates[]'] as const;

/** What agents of every release say. Nothing is added to it: who reads an answer of one before would not have it. */
const always = {
  report: [
    'host host.id host.address host.agent host.disk.freeBytes host.disk.totalBytes seq',
    `members ${place(member)} ${member}.state ${member}.linkUp ${member}.offset ${member}.memory.usedBytes`,
    `${member}.persistence.saving ${member}.persistence.saveOk ${member}.persistence.rewriting`,
    `${member}.restarts`,
    `sentinels ${place(sentinel)} ${sentinel}.state ${sentinel}.epoch ${sentinel}.agreesDown`,
    `${sentinel}.failover ${sentinel}.voted.epoch ${sentinel}.voted.ours ${sentinel}.voted.at`,
    `gates ${place(gate)} ${gate}.kind ${gate}.state ${gate}.latency`,
    `${gate}.latency.read.p50Ms ${gate}.latency.read.p99Ms`,
    `${gate}.latency.write.p50Ms ${gate}.latency.write.p99Ms`,
    `${gate}.classes ${gate}.commands ${gate}.errors`,
    `${gate}.connections.shared ${gate}.connections.private`,
    'drift drift[].member drift[].kind drift[].name drift[].running drift[].wanted',
    'moves.mirrors moves.migrations moves.unwell',
  ],
  job: [
    'id kind request by state startedAt steps steps[].at steps[].text result',
    'error.code error.message cancellable',
  ],
  event: ['seq at kind subject text host'],
  doctor: [
    'at findings findings[].check findings[].severity findings[].found findings[].why findings[].link',
    `findings[].fixable ${missing}`,
  ],
  clients: [
    'total clients clients[].gate clients[].address clients[].name clients[].user clients[].port',
    'clients[].ageMs clients[].lastCommand clients[].held clients[].private clients[].db',
    'missing missing[].gate missing[].why',
  ],
  mirrors: [
    'mirrors mirrors[].name mirrors[].to mirrors[].state mirrors[].keys mirrors[].bytes',
    'mirrors[].bytesPerSecond',
    // An agent of before has none of these.
    ...[
      'host',
      'name',
      'to',
      'state',
      'copied',
      'dropped',
      'failed',
      'errors',
      'readP99Ms',
      'writeP99Ms',
    ].map((name) => `requests[].${name}`),
    ...['errors', 'readP99Ms', 'writeP99Ms'].map((name) => `requests[].own.${name}`),
    missing,
  ],
  migrations: [
    'migrations migrations[].id migrations[].host migrations[].folder migrations[].startedAt',
    'migrations[].target migrations[].phase migrations[].runs migrations[].sources',
    ...['source', 'at', 'phase', 'keys', 'bytes', 'bytesPerSecond', 'commands'].map(
      (name) => `migrations[].sources[].${name}`,
    ),
    missing,
  ],
  drills: [
    'scenarios scenarios[].name scenarios[].about runs runs[].id runs[].scenario runs[].at',
    'missing[].host missing[].why',
  ],
};

test.each([
  ['report', hostReportSchema] as const,
  ['job', jobSchema] as const,
  ['event', eventSchema] as const,
  ['doctor', doctorSchema] as const,
  ['clients', clientsSchema] as const,
  ['mirrors', mirrorsSchema] as const,
  ['migrations', migrationsSchema] as const,
  ['drills', drillsSchema] as const,
])(
  'a %s demands what every release says: a field that is new may be null (orNull), or has a default',
  (name, schema) => {
    expect(demanded(schema)).toEqual(always[name].join(' ').split(' '));
  },
);

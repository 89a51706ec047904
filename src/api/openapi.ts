/** The OpenAPI 3.1 document, from the schemas and the table of endpoints. Pure. */
import { z } from 'zod';
import { healthSchema, loginSchema, sessionSchema } from './access.ts';
import { clientsSchema, gateClientSchema, memberDetailsSchema } from './details.ts';
import { errorSchema, refusalSchema } from './errors.ts';
import { eventSchema } from './events.ts';
import { backupsSchema, doctorSchema, drillsSchema, findingSchema, specSchema } from './findings.ts';
import { deploymentSeriesSchema, historySchema, memberSeriesSchema } from './history.ts';
import { jobSchema, jobsSchema, operationSchema, planSchema } from './jobs.ts';
import { migrationSchema, migrationsSchema, mirrorSchema, mirrorsSchema } from './moves.ts';
import { type Route, routes } from './routes.ts';
import {
  backupStatusSchema,
  driftSchema,
  gateSchema,
  hostReportSchema,
  hostSchema,
  memberSchema,
  movesSchema,
  sentinelSchema,
  viewSchema,
} from './view.ts';

/** The schemas that have a name of their own, in the order of docs/api.md. */
const named: readonly (readonly [name: string, schema: z.ZodType])[] = [
  ['View', viewSchema],
  ['Member', memberSchema],
  ['Sentinel', sentinelSchema],
  ['Gate', gateSchema],
  ['Host', hostSchema],
  ['HostReport', hostReportSchema],
  ['Drift', driftSchema],
  ['BackupStatus', backupStatusSchema],
  ['Moves', movesSchema],
  ['Event', eventSchema],
  ['History', historySchema],
  ['DeploymentSeries', deploymentSeriesSchema],
  ['MemberSeries', memberSeriesSchema],
  ['Clients', clientsSchema],
  ['GateClient', gateClientSchema],
  ['MemberDetails', memberDetailsSchema],
  ['Operation', operationSchema],
  ['Plan', planSchema],
  ['Jobs', jobsSchema],
  ['Job', jobSchema],
  ['Doctor', doctorSchema],
  ['Finding', findingSchema],
  ['Backups', backupsSchema],
  ['Spec', specSchema],
  ['Mirrors', mirrorsSchema],
  ['Mirror', mirrorSchema],
  ['Migrations', migrationsSchema],
  ['Migration', migrationSchema],
  ['Drills', drillsSchema],
  ['Login', loginSchema],
  ['Session', sessionSchema],
  ['Health', healthSchema],
  ['Error', errorSchema],
  ['Refusal', refusalSchema],
];

export type JsonSchema = { readonly [key: string]: unknown };

export interface OpenApi {
  openapi: string;
  info: { title: string; version: string; description: string };
  paths: Record<string, Record<string, unknown>>;
  components: { schemas: Record<string, JsonSchema>; securitySchemes: Record<string, unknown> };
  security: unknown[];
}

const registry = z.registry<{ id: string }>();
for (const [name, schema] of named) registry.add(schema, { id: name });

/** JSON Schema of everything that has a name, each pointing at the others by `#/components/schemas/…`. */
export function namedSchemas(): Record<string, JsonSchema> {
  const { schemas } = z.toJSONSchema(registry, { uri: (id) => `#/components/schemas/${id}`, io: 'output' });
  return Object.fromEntries(
    named.map(([name]) => {
      const { $schema: _dialect, $id: _id, ...schema } = schemas[name] as Record<string, unknown>;
      return [name, schema];
    }),
  );
}

/** The name of a schema, or undefined. */
export function nameOf(schema: z.ZodType): string | undefined {
  return named.find(([, each]) => each === schema)?.[0];
}

/** @param version of holdfast. */
export function openApi(version: string): OpenApi {
  const paths: OpenApi['paths'] = {};
  for (const route of routes) {
    const methods = paths[route.path] ?? {};
    paths[route.path] = { ...methods, [route.method.toLowerCase()]: operationOf(route) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'holdfast',
      version,
      description: 'The API of an agent: a highly available Redis, seen and steered.',
    },
    paths,
    components: {
      schemas: namedSchemas(),
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer' },
        session: { type: 'apiKey', in: 'cookie', name: 'holdfast-NAME' },
      },
    },
    security: [{ token: [] }, { session: [] }],
  };
}

function operationOf(route: Route): JsonSchema {
  const type = route.stream === undefined ? 'application/json' : 'text/event-stream';
  const refusal = { description: 'Refused.', content: jsonOf(refusalSchema) };
  return {
    summary: route.about,
    parameters: [
      ...pathParameters(route.path),
      ...queryParameters(route.query),
      ...(route.stream === 'event' ? [lastEventId] : []),
    ],
    ...(route.body === undefined
      ? {}
      : { requestBody: { required: true, content: jsonOf(route.body, 'application/json') } }),
    responses: {
      [route.done ?? 200]: { description: 'Done.', content: jsonOf(route.answer, type) },
      ...(route.mayBeNo
        ? { 503: { description: 'It is not so.', content: jsonOf(route.answer, type) } }
        : {}),
      '4XX': refusal,
      '5XX': refusal,
    },
    ...(route.needs === 'open' ? { security: [] } : {}),
    'x-needs': route.needs,
  };
}

/** What a client that was cut off sends, as browsers do by themselves. */
const lastEventId: JsonSchema = {
  ...{ name: 'Last-Event-ID', in: 'header', required: false, schema: { type: 'string' } },
  description: 'The id of the last event that was got: what came after it is sent.',
};

function pathParameters(path: string): JsonSchema[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    ...{ name, in: 'path', required: true, schema: { type: 'string' } },
  }));
}

function queryParameters(query: z.ZodType | undefined): JsonSchema[] {
  if (query === undefined) return [];
  const { properties = {} } = z.toJSONSchema(query, { io: 'input', unrepresentable: 'any' });
  return Object.entries(properties).map(([name, schema]) => {
    return { name, in: 'query', required: false, schema };
  });
}

function jsonOf(schema: z.ZodType, type = 'application/json'): JsonSchema {
  return { [type]: { schema: referTo(schema) } };
}

function referTo(schema: z.ZodType): JsonSchema {
  const name = nameOf(schema);
  if (name !== undefined) return { $ref: `#/components/schemas/${name}` };
  if (schema instanceof z.ZodArray) {
    return { type: 'array', items: referTo(schema.element as z.ZodType), description: schema.description };
  }
  const { $schema: _dialect, ...inline } = z.toJSONSchema(schema);
  return inline;
}

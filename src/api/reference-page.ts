/** docs/api.md, made from the schemas and the table of endpoints. Pure. */
import { z } from 'zod';
import { type JsonSchema, namedSchemas, nameOf } from './openapi.ts';
import { type Route, routes } from './routes.ts';

const intro = `# The API

<!-- Made from src/api/: npx vitest -u run --project unit src/api writes it anew. -->

Every agent answers on \`agent.port\`, for the whole deployment. \`/api/openapi.json\` is this page for machines (OpenAPI
3.1). Answers are JSON in UTF-8; what is not known is null. Times are ISO 8601 in UTC, in \`history\` Unix ms; durations
are ms, sizes are bytes.

## Access

Looking needs nothing from the machine itself, and a token from elsewhere. **Changing something needs a token of the role
\`operate\`, from this machine too**; only the owner of the state directory, who has the Unix socket, needs none.
\`holdfast token\` shows, makes and revokes tokens.

\`\`\`
(printf 'Authorization: Bearer '; cat /var/lib/holdfast/orders/api-operate-token) \\
  | curl -H @- -H 'Content-Type: application/json' -d '{"kind":"switchover"}' http://127.0.0.1:7080/api/operations
\`\`\`

A page logs in with \`POST /api/session\` and has a cookie from then on, \`holdfast-NAME\` (HttpOnly, SameSite=Strict), for 12
hours, also when the agent is started anew; it ends sooner when it is logged out or its token is revoked, and within a second so
do the streams that were opened with it, from this machine too. After five wrong tokens in a minute an address has to wait, with further wrong ones and
with logging in; the right token in a header is let in all the same. The \`Host\` of a request without a token must be a name of this
host or an IP address, any: a name can be made to resolve to this machine, an address can't, and a tunnel or a container has one of its own.
An \`Origin\` must be the \`Host\`. A page on another site, or a name that is none of this host, is answered 403. Bodies are \`application/json\`, at most 64 KiB. Who asked for what, who logged in or tried to, and which tokens were made and revoked, is an event; wrong tokens of one address are told once an hour. With
\`agent.tls\` the API is HTTPS and nothing else, and the cookie is Secure; without, it is plain HTTP, for this machine and
networks that are yours.

## Errors

Whatever is no success has the body \`Refusal\`. \`code\` is listed in [errors.md](errors.md); \`field\` names what was wrong
in a body or query. 400: the request is wrong. 401: a token is wanted. 403: this one may not. 404: there is no such thing.
405: there is, and \`Allow\` says how to ask for it. 409: not now. 413 and 431: too long. 417: an \`Expect\` that is not 100-continue. 429: too often. 503: it can't be answered now, or too many streams are open.

## Streams

Streams are \`text/event-stream\`. A client that was cut off sends \`Last-Event-ID\`, as browsers do by themselves, and gets
what it missed. A comment every 15 s shows that the agent is there. At most 200 are open at a time, 160 of them of who may only look, 80
of these without a token; further ones are answered 503. A client that does not read is cut off.

## Limits

A request, and TLS before it, must have come within 20 s, its head within 10 s, and an answer be taken within a minute. 1,500
connections are open at a time. 100 of one address may be without a whole request; the oldest of further ones are answered
503 and closed. When all are open, one that waits for its client goes, or one that is answered and showed no token, so that
a new one is always taken.
`;

/** The text of docs/api.md. */
export function referencePage(): string {
  const parts = [intro, '## Endpoints\n', endpointTable()];
  for (const route of routes.filter(({ query, body }) => query !== undefined || body !== undefined)) {
    parts.push(`### ${route.method} ${route.path}\n`, inputOf(route));
  }
  parts.push('## Schemas\n');
  for (const [name, schema] of Object.entries(namedSchemas())) {
    parts.push(`### ${name}\n`, `${describe(schema)}\n`, bodyOf(schema));
  }
  return `${parts.join('\n').trimEnd()}\n`;
}

function endpointTable(): string {
  const rows = routes.map((route) => {
    const answer =
      route.stream === undefined ? typeName(route.answer) : `stream of ${typeName(route.answer)}`;
    return `| \`${route.method} ${route.path}\` | ${route.needs} | ${answer} | ${route.about} |`;
  });
  return ['| endpoint | needs | answer | what it does |', '| --- | --- | --- | --- |', ...rows, ''].join(
    '\n',
  );
}

function typeName(schema: z.ZodType): string {
  if (schema instanceof z.ZodArray) return `array of ${typeName(schema.element as z.ZodType)}`;
  const name = nameOf(schema);
  return name === undefined ? 'JSON' : link(name);
}

function link(name: string): string {
  return `[${name}](#${name.toLowerCase()})`;
}

function inputOf({ query, body }: Route): string {
  const parts = body === undefined ? [] : [`Body: ${typeName(body)}.\n`];
  if (query !== undefined) {
    const schema = z.toJSONSchema(query, { io: 'input', unrepresentable: 'any' });
    parts.push(`${fieldTable(schema as JsonSchema)}\n`);
  }
  return parts.join('\n');
}

function bodyOf(schema: JsonSchema): string {
  const choices = (schema['oneOf'] ?? schema['anyOf']) as JsonSchema[] | undefined;
  if (choices === undefined) return `${fieldTable(schema)}\n`;
  return choices
    .map((choice) => {
      const { kind } = choice['properties'] as Record<string, JsonSchema>;
      return `\`${String(kind?.['const'])}\`: ${describe(choice)}\n\n${fieldTable(choice)}\n`;
    })
    .join('\n');
}

/** A row for each field; fields of an object without a name of its own follow it, as `memory.usedBytes`. */
function fieldTable(schema: JsonSchema): string {
  return ['| field | type | meaning |', '| --- | --- | --- |', ...fieldRows(schema, '')].join('\n');
}

function fieldRows(schema: JsonSchema, before: string): string[] {
  const properties = (schema['properties'] ?? {}) as Record<string, JsonSchema>;
  const required = new Set((schema['required'] ?? []) as string[]);
  return Object.entries(properties).flatMap(([name, field]) => {
    const optional = required.has(name) ? '' : ', optional';
    const { inner, type } = typeOf(field);
    const row = `| \`${before}${name}\` | ${type}${optional} | ${describe(field)} |`;
    return [row, ...(inner === undefined ? [] : fieldRows(inner, `${before}${name}.`))];
  });
}

/** In words; `inner` is the object whose fields are to follow. */
function typeOf(schema: JsonSchema): { type: string; inner?: JsonSchema } {
  const choices = schema['anyOf'] as JsonSchema[] | undefined;
  if (choices !== undefined) {
    const known = choices.filter(({ type }) => type !== 'null').map(typeOf);
    const inner = known.find((each) => each.inner !== undefined)?.inner;
    const type = `${known.map((each) => each.type).join(' or ')}${known.length < choices.length ? ' or null' : ''}`;
    return { type, ...(inner === undefined ? {} : { inner }) };
  }
  const reference = schema['$ref'];
  if (typeof reference === 'string') return { type: link(reference.slice(reference.lastIndexOf('/') + 1)) };
  if (schema['enum'] !== undefined) {
    return { type: (schema['enum'] as string[]).map((word) => `\`${word}\``).join(', ') };
  }
  if (schema['const'] !== undefined) return { type: `\`${String(schema['const'])}\`` };
  if (schema['type'] === 'array') {
    const { type, inner } = typeOf(schema['items'] as JsonSchema);
    return { type: `array of ${type}`, ...(inner === undefined ? {} : { inner }) };
  }
  if (schema['type'] !== 'object') return { type: String(schema['type'] ?? 'anything') };
  if (schema['properties'] !== undefined) return { type: 'object', inner: schema };
  const values = schema['additionalProperties'] as JsonSchema | undefined;
  return { type: `object of ${values === undefined ? 'anything' : typeOf(values).type}` };
}

function describe(schema: JsonSchema): string {
  const own = schema['description'];
  if (typeof own === 'string') return own.replaceAll('|', '\\|');
  const [first] = ((schema['anyOf'] as JsonSchema[] | undefined) ?? []).filter(({ type }) => type !== 'null');
  return first === undefined ? '' : describe(first);
}

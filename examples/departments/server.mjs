// Departments: a table of MariaDB over HTTP, kept in Redis or not. `node server.mjs config.json`
//
// GET  /departments?rows=10   that many rows. With "store": "redis" from Redis, and from MariaDB once, when Redis has none.
// POST /departments           one row: {"dept_name": "…"}. With "store": "redis" it is a SET, otherwise an INSERT.
//
// The client of Redis knows one address, the gate's. It needs to know nothing of Sentinels.
import { readFileSync } from 'node:fs';
import Fastify from 'fastify';
import { Redis } from 'ioredis';
import mysql from 'mysql2/promise';

const mostRows = 1000;
const connections = 50;

const config = JSON.parse(readFileSync(process.argv[2] ?? 'config.json', 'utf8'));
const database = mysql.createPool({
  ...config.mariadb,
  database: 'departments',
  connectionLimit: connections,
});
const redis = config.store === 'redis' ? openRedis(config.redis) : null;
const app = Fastify({ forceCloseConnections: true });

app.get(
  '/departments',
  {
    schema: {
      querystring: {
        type: 'object',
        properties: { rows: { type: 'integer', minimum: 1, maximum: mostRows, default: 10 } },
      },
    },
  },
  async (request, reply) => {
    const { rows } = request.query;
    reply.type('application/json');
    if (redis === null) return JSON.stringify(await select(rows));
    const key = `departments:${rows}`;
    const kept = await redis.get(key);
    if (kept !== null) return kept;
    const text = JSON.stringify(await select(rows));
    await redis.set(key, text);
    return text;
  },
);

app.post(
  '/departments',
  {
    schema: {
      body: {
        type: 'object',
        required: ['dept_name'],
        properties: { dept_name: { type: 'string', maxLength: 40 } },
      },
    },
  },
  async (request, reply) => {
    const { dept_name } = request.body;
    const dept_no = redis === null ? await insert(dept_name) : await keep(dept_name);
    return reply.code(201).send({ dept_no });
  },
);

// What a store could not do is that, with its own word, and no fault of this application.
app.setErrorHandler((error, _request, reply) => {
  if (error.validation) return reply.code(400).send({ error: error.message });
  return reply.code(503).send({ error: error.message });
});

await app.listen({ host: config.host ?? '127.0.0.1', port: config.port });

async function select(rows) {
  const [found] = await database.query(
    'SELECT dept_no, dept_name, changed_at FROM departments ORDER BY dept_no LIMIT ?',
    [rows],
  );
  return found;
}

async function insert(dept_name) {
  const [{ insertId }] = await database.execute('INSERT INTO departments (dept_name) VALUES (?)', [
    dept_name,
  ]);
  return insertId;
}

async function keep(dept_name) {
  const dept_no = Math.floor(Math.random() * 1_000_000);
  const row = { dept_no, dept_name, changed_at: new Date().toISOString() };
  await redis.set(`department:${dept_no}`, JSON.stringify(row));
  return dept_no;
}

function openRedis(place) {
  const client = new Redis({ ...place, maxRetriesPerRequest: 1 });
  // Without somebody who listens ioredis prints each; the requests that it fails answer 503.
  client.on('error', () => {});
  return client;
}

/** Each difference from Kafka Connect that `docs/kafka-connect.md` lists is shown by a test, and no other test claims to show one. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ROOT } from '../../tools/paths.mjs';
import { situations } from './kafka-connect/situations.ts';

const APP = 'test/unit/scheduler/app.test.ts';
const EVERY = 'test/contract/every-route.test.ts';
const STATUS = 'test/unit/scheduler/status.test.ts';

/** By the first cell of a line: situations as `route: what`, other tests as `file: what`. */
const PROOFS: Readonly<Record<string, readonly string[]>> = {
  'a body that is no JSON, an unknown field, an `initial_state` that is none': [
    `${EVERY}: %s: what is no JSON`,
    'POST /connectors: an unknown field',
    'POST /connectors: an initial state that is none',
  ],
  '`.../config/validate` without a class, or with an unknown one': [
    'PUT /connector-plugins/{plugin}/config/validate: no class',
    'PUT /connector-plugins/{plugin}/config/validate: an unknown class',
  ],
  'a body of more than 1 MiB': ['POST /connectors: more than a megabyte', `${EVERY}: %s: what is no JSON`],
  'more than 1,000 keys in a configuration, or 100 aliases in `transforms` or `predicates`': [
    'POST /connectors: more keys than anybody needs',
    'POST /connectors: more transforms than anybody needs',
  ],
  'JSON that nests more than 128 deep': [`${EVERY}: %s: what is no JSON`],
  'a request that takes more than 30 seconds to arrive': [
    'test/unit/cli/start/listen.test.ts: ends a connection on which a request does not arrive',
  ],
  'an answer that takes more than 90 seconds': [`${EVERY}: %s: that never answers`],
  'a store or a log that is away': [`${EVERY}: %s: that is away`],
  '`GET /health`': [
    'test/unit/cli/start/listen.test.ts: answers %s with 503 until there is something to serve',
    'GET /health: says that it is well',
    'GET /health: says what a store that is away says',
    'GET /health: waits ten seconds for a store, and no longer',
  ],
  'a change that a page of another site asks for, and any request that calls a server without keys by another name than `localhost` or a loopback address':
    [`${EVERY}: %s: for a page of another site 403`, 'test/unit/scheduler/http/other-sites.test.ts: %s'],
  'a name of more than 255 characters, with control characters, or `.` or `..`': [
    'POST /connectors: a name that is too long',
    'POST /connectors: a control character in its name',
    'POST /connectors: a name that no path can hold',
    'PUT /connectors/{connector}/config: a name that no path can hold',
  ],
  'a name with `/`, `\\` or `%`': [`${EVERY}: %s: of any name`],
  'who may ask': [`${EVERY}: %s: without a key 401, with less than its role 403`],
  '`Accept`': ['GET /connectors: asked for as a page, and as if passed on by a worker'],
  '`expand[]=info`, `True`, a slash behind a path, an empty body of any type where none is read': [
    'GET /connectors: expanded in both spellings',
    'POST /connectors/{connector}/restart: one whose task has failed?includeTasks=True&onlyFailed=False',
    `${EVERY}: %s: with a slash behind the same`,
    `${EVERY}: %s: anything where none is read`,
  ],
  'error bodies of 404, 405, 406 and 415': [
    `${APP}: knows no other path (%s)`,
    `${EVERY}: %s: no other methods`,
    `${EVERY}: %s: what is no JSON`,
  ],
  'an error that nobody expected': [`${APP}: keeps what it does not know to itself, and logs it`],
  '`?forward=`': ['GET /connectors: asked for as a page, and as if passed on by a worker'],
  '`/admin`': ['GET /admin/loggers: at the start'],
  '`POST /connectors/{name}/tasks` and `PUT /connectors/{name}/fence`': [
    `${EVERY}: %s: no other methods`,
    `${APP}: knows no other path (%s)`,
  ],

  'several `POST /connectors` with one name at once': [`${APP}: creates a name once, also where several ask at once`],
  'several `PUT .../config` with a new name at once': [
    `${APP}: configures a new name for several at once: one creates it, the others change it`,
  ],
  '`PATCH .../config` with another `name`': ['PATCH /connectors/{connector}/config: another name'],
  '`PATCH .../config` by several at once': [`${APP}: keeps every key of several who patch at once`],
  'what is secret: keys of type `PASSWORD`, and keys that no plugin knows whose names sound like it (`sasl.jaas.config`)': [
    'GET /connectors: expanded, with what is secret',
    'GET /connectors/{connector}: with a secret',
    'GET /connectors/{connector}/config: what is secret, to whoever may set it',
    'GET /connectors/{connector}/config: what is secret, to whoever may not set it',
    'GET /connectors/{connector}/tasks: with what is secret',
    'PUT /connectors/{connector}/config: a secret as it was shown: it stays',
    'PATCH /connectors/{connector}/config: a secret as it was shown: it stays',
    'PUT /connector-plugins/{plugin}/config/validate: what sounds secret, and is not known',
  ],
  'an invalid configuration': ['POST /connectors: everything that is wrong with its configuration'],
  '`Connector config {...} contains no connector type`': ['POST /connectors: no class'],
  '409': [
    'POST /connectors: a name that is taken',
    'PUT /connectors/{connector}/config: one that is being deleted',
    `${APP}: tells those who change a connector to try again, where too many do so at once`,
    'PATCH /connectors/{connector}/offsets: one that is stopped, and whose last invocation may still write',
    'DELETE /connectors/{connector}/offsets: one that is stopped, and whose last invocation may still write',
  ],
  'a connector that is created again': ['POST /connectors: a name that is free again'],
  'a name that is being deleted': [
    'POST /connectors: a name that is being deleted',
    'PUT /connectors/{connector}/config: one that is being deleted',
    'PATCH /connectors/{connector}/config: one that is being deleted',
  ],

  '`worker_id`': ['GET /connectors/{connector}/status: of a running one'],
  tasks: [
    `${STATUS}: deals the shards in a stable order to as many tasks as there may be`,
    'GET /connectors/{connector}/tasks: of a running one',
  ],
  '`UNASSIGNED`': ['GET /connectors/{connector}/status: before its first invocation'],
  '`RUNNING`': ['GET /connectors/{connector}/status: of a running one'],
  '`PAUSED` and `STOPPED`': [
    `${STATUS}: says paused only once every gate is raised (I9)`,
    `${STATUS}: says stopped only once every gate is raised, and lists no tasks then (I9)`,
  ],
  '`FAILED`': [`${STATUS}: says when a failed shard restarts by itself`],
  '`trace`': ['GET /connectors/{connector}/status: of one whose task has failed: where, why, and what to do'],
  'a restart': ['POST /connectors/{connector}/restart: one that runs?includeTasks=true'],
  '`RESTARTING`': ['POST /connectors/{connector}/restart: one whose task has failed?includeTasks=true'],
  '`POST .../restart` without `includeTasks`': [
    'POST /connectors/{connector}/restart: a source that could not find its shards',
    'POST /connectors/{connector}/restart: one whose task has failed, alone',
  ],
  'a task that is no number': [
    'GET /connectors/{connector}/tasks/{task}/status: of no such task: first',
    'POST /connectors/{connector}/tasks/{task}/restart: no such task: first',
  ],

  "a sink's partition": [
    'PATCH /connectors/{connector}/offsets: with the broker',
    'PATCH /connectors/{connector}/offsets: a partition that two brokers have',
  ],
  "a source's partition and offset": [
    'GET /connectors/{connector}/offsets: of a source',
    'GET /connectors/{connector}/offsets: of a source that has not begun',
  ],
  '`kafka_offset` in an answer': [
    'GET /connectors/{connector}/offsets: of one that runs, with an offset that no double holds',
    'PATCH /connectors/{connector}/offsets: numbers as text',
  ],
  "the offset of a sink's partition in a request": [
    'PATCH /connectors/{connector}/offsets: earliest',
    'PATCH /connectors/{connector}/offsets: latest',
    'PATCH /connectors/{connector}/offsets: a time before all records',
    'PATCH /connectors/{connector}/offsets: a source, from its earliest',
  ],
  'a partition that the connector does not read, or that a source has not found': [
    'PATCH /connectors/{connector}/offsets: a partition that it does not read',
    'PATCH /connectors/{connector}/offsets: a shard that a source has not found',
  ],
  'an offset that the log does not hold': [
    'PATCH /connectors/{connector}/offsets: beyond the end',
    'PATCH /connectors/{connector}/offsets: what retention took',
  ],
  'an invocation may still be writing': [
    'test/unit/scheduler/offsets.test.ts: says which shards an invocation may still hold, and changes the others',
    'PATCH /connectors/{connector}/offsets: one that is stopped, and whose last invocation may still write',
  ],
  '`null`, and `DELETE`': [
    'PATCH /connectors/{connector}/offsets: null: where a new one would start',
    'DELETE /connectors/{connector}/offsets: of a sink',
    'DELETE /connectors/{connector}/offsets: of a source',
  ],
  '`latest` as what `auto.offset.reset` means': [
    'DELETE /connectors/{connector}/offsets: to its end, where new ones would start there',
  ],
  'the text of a change that was made': [
    'PATCH /connectors/{connector}/offsets: a number',
    'PATCH /connectors/{connector}/offsets: a source',
    'DELETE /connectors/{connector}/offsets: of a sink',
    'DELETE /connectors/{connector}/offsets: of a source',
  ],

  '`class`': [
    'GET /connector-plugins: all kinds',
    'GET /connector-plugins/{plugin}/config: of a converter: JsonConverter',
    'GET /connector-plugins/{plugin}/config: of a converter: org.apache.kafka.connect.json.JsonConverter',
  ],
  'header converters': ['POST /connectors: a converter of headers, which means nothing'],
  '`?version=`': [
    'GET /connector-plugins/{plugin}/config: of version "2.1.0"',
    'GET /connector-plugins/{plugin}/config: of a version that there is not',
  ],
  'keys that pin versions: `connector.plugin.version`, `transforms.NAME.plugin.version` and their like': [
    'POST /connectors: a pin, connector.plugin.version',
    'POST /connectors: a pin, value.converter.plugin.version',
  ],
  '`recommended_values`': [
    'PUT /connector-plugins/{plugin}/config/validate: a right one; what is secret is not shown',
    'PUT /connector-plugins/{plugin}/config/validate: with a predicate, whose keys are among the others',
  ],
  '`dependents`': ["GET /connector-plugins/{plugin}/config: of a connector, beside the runtime's"],
  'a key that no plugin knows': [
    'PUT /connector-plugins/{plugin}/config/validate: everything that is wrong, each by its key',
    'POST /connectors: everything that is wrong with its configuration',
  ],
  '`null` as the value of a key': [
    'PUT /connector-plugins/{plugin}/config/validate: everything that is wrong, each by its key',
    'PUT /connectors/{connector}/config: a null',
  ],

  'topics that a connector moved records of': [
    'test/unit/scheduler/topic-notes.test.ts: learns of the topics of sinks and sources as their invocations end',
    'test/unit/cli/worker-settings.test.ts: one that would switch off what cannot be',
  ],
  loggers: ['PUT /admin/loggers/{logger}: of one connector', 'PUT /admin/loggers/{logger}: of what logs in Kafka Connect'],
  levels: ['PUT /admin/loggers/{logger}: the level trace', 'PUT /admin/loggers/{logger}: a level of "ALL"'],
  '`scope=cluster`': ['PUT /admin/loggers/{logger}: in the whole cluster'],
};

const page = readFileSync(join(ROOT, 'docs/kafka-connect.md'), 'utf8');

/** First cells, but for those of titles. */
const listed = [...page.matchAll(/^\| (?!where \||--- \|)(.+?) \| /gm)].map(([, where]) => where as string);

function isThere(proof: string): boolean {
  const [file = '', ...what] = proof.split(': ');
  if (file.startsWith('test/')) return readFileSync(join(ROOT, file), 'utf8').includes(what.join(': '));
  return situations.some((situation) => `${situation.route}: ${situation.what}` === proof);
}

describe('docs/kafka-connect.md', () => {
  test('lists what is shown, and nothing else', () => {
    expect([...listed].sort()).toEqual(Object.keys(PROOFS).sort());
  });

  test.each(Object.entries(PROOFS))('%s', (_, proofs) => {
    expect(proofs.length).toBeGreaterThan(0);
    expect(proofs.filter((proof) => !isThere(proof))).toEqual([]);
  });
});

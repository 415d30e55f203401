/** Every route of Kafka Connect's API in every situation there is a word on, with its exact answer. */
import { describe, expect, test } from 'vitest';
import { anApi } from '../support/api.ts';
import { memorySink } from '../support/memory-sink.ts';
import { memorySource, memorySystem, rows } from '../support/memory-source.ts';
import { memoryTarget } from '../support/memory-target.ts';
import { openApiOf } from '../support/openapi-answers.ts';
import { vaultSink } from '../support/vault-sink.ts';
import { connectorSituations } from './kafka-connect/connector-situations.ts';
import { loggerSituations } from './kafka-connect/logger-situations.ts';
import { offsetSituations } from './kafka-connect/offset-situations.ts';
import { pluginSituations } from './kafka-connect/plugin-situations.ts';
import { serverSituations } from './kafka-connect/server-situations.ts';
import { stateSituations } from './kafka-connect/state-situations.ts';
import { topicSituations } from './kafka-connect/topic-situations.ts';

const situations = [
  ...serverSituations,
  ...connectorSituations,
  ...stateSituations,
  ...offsetSituations,
  ...pluginSituations,
  ...loggerSituations,
  ...topicSituations,
];
const routes = [...new Set(situations.map(({ route }) => route))];

describe.each(routes)('%s', (route) => {
  const own = situations
    .filter((situation) => situation.route === route)
    .map((situation) => [situation.what, situation] as const);

  test.each(own)('%s', async (_what, { given, path, ask, status, body = null, headers = {}, then }) => {
    const [method = '', template = ''] = route.split(' ');
    const source = memorySource(memorySystem({ rows: rows(3) }));
    const api = anApi({ plugins: [memorySink(memoryTarget('append')), source, vaultSink] });
    await given?.(api);

    const answer = await api.ask(method, path ?? template, ask);

    expect(answer).toMatchObject({ status, body });
    expect(answer.body).toEqual(body);
    expect(Object.fromEntries(answer.headers)).toMatchObject(headers);
    await then?.(api);
  });
});

test('the table has every route of the OpenAPI document', async () => {
  const { paths } = await openApiOf(anApi().app);

  const documented = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  );
  expect(documented.sort()).toEqual([...routes].sort());
});

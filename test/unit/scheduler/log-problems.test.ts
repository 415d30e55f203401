import { describe, expect, test } from 'vitest';
import { logProblems } from '../../../scheduler/log-problems.ts';
import { anApi } from '../../support/api.ts';
import { brokerUnavailable, brokerWith } from '../../support/faulty-ports.ts';
import { aHost } from '../../support/hosts.ts';

const { broker } = aHost();

/** It has no topic with a dot, and knows one expression. */
const picky = brokerWith(broker, {
  topicProblem: (topic) => (topic.includes('.') ? `there is no ${topic}` : null),
  filterProblem: async (filter) => (filter.kind === 'sql92' && filter.expression !== 'TRUE' ? 'is not TRUE' : null),
});

describe('logProblems', () => {
  test('names each topic that the log has not, and what is wrong with a filter', async () => {
    const config = {
      topics: 'a.b, c,d.e',
      'errors.deadletterqueue.topic.name': 'f.g',
      'consumer.override.filter.sql': 'FALSE',
    };

    expect(await logProblems(picky, config)).toEqual([
      { path: 'topics', message: 'there is no a.b' },
      { path: 'topics', message: 'there is no d.e' },
      { path: 'errors.deadletterqueue.topic.name', message: 'there is no f.g' },
      { path: 'consumer.override.filter.sql', message: 'is not TRUE' },
    ]);
  });

  test('leaves to invocations what a placeholder stands for', async () => {
    const config = { topics: 'c', 'consumer.override.filter.sql': '${env:FILTER}', 'errors.deadletterqueue.topic.name': null };

    expect(await logProblems(picky, config)).toEqual([]);
  });

  test('lets a configuration be written while the log does not answer', async () => {
    const away = brokerWith(broker, { filterProblem: () => Promise.reject(brokerUnavailable()) });

    expect(await logProblems(away, { topics: 'c', 'consumer.override.filter.tags': 'a' })).toEqual([]);
  });

  test('keeps a connector from being created, and is shown where a configuration is checked', async () => {
    const { ask } = anApi({ deps: { broker: picky } });
    const config = { 'connector.class': 'discard-sink', topics: 'a.b' };

    const created = await ask('POST', '/connectors', { body: { name: 'drop', config } });
    const checked = await ask('PUT', '/connector-plugins/discard-sink/config/validate', { body: config });

    expect(created).toMatchObject({ status: 400, body: { message: expect.stringContaining('topics: there is no a.b') } });
    expect(checked.body).toMatchObject({ error_count: 1 });
  });

  test('refuses two filters at once', async () => {
    const { ask } = anApi();
    const filters = { 'consumer.override.filter.tags': 'a', 'consumer.override.filter.sql': 'TRUE' };
    const config = { 'connector.class': 'discard-sink', topics: 'orders', ...filters };

    const { status, body } = await ask('POST', '/connectors', { body: { name: 'drop', config } });

    expect([status, body]).toMatchObject([
      400,
      { message: expect.stringContaining('consumer.override.filter.sql: cannot be combined') },
    ]);
  });
});

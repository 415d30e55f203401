import { describe, expect, test } from 'vitest';
import { parseConnectorConfig, parseResolvedConfig, WRITTEN_OUT } from '../../../../core/config/connector-config.ts';
import { ConfigError } from '../../../../core/errors.ts';
import { configureConnector } from '../../../../plugins/configure.ts';
import { registry } from '../../../../plugins/registry.ts';

const SINK = { 'connector.class': 'sql-sink', topics: 'orders', 'connection.url': 'sqlite:/shop.db' };
const SECRET = '${env:SECRET}';

describe('a configuration as it is stored', () => {
  test.each([
    ['a text', { 'connection.url': SECRET }],
    ['a part of a text', { 'connection.url': 'sqlite:${dir:/run/secrets:path}' }],
    ['a word of several', { 'insert.mode': SECRET }],
    ['what another key depends on', { 'insert.mode': 'upsert', 'pk.mode': SECRET }],
    [
      'a key of a transform',
      { transforms: 'drop', 'transforms.drop.type': 'ReplaceField$Value', 'transforms.drop.exclude': SECRET },
    ],
    ['a key of a converter', { 'value.converter.schemas.enable': SECRET }],
    [
      'a key of a predicate',
      {
        transforms: 'f',
        predicates: 'p',
        'transforms.f.type': 'Filter',
        'transforms.f.predicate': 'p',
        'predicates.p.type': 'TopicNameMatches',
        'predicates.p.pattern': SECRET,
      },
    ],
    ['a number that invocations read', { 'put.timeout.ms': SECRET, 'consumer.override.max.poll.records': SECRET }],
    ['a word that invocations read', { 'errors.tolerance': SECRET, 'log.gap.policy': SECRET }],
    ['a key without effect', { 'producer.override.sasl.jaas.config': SECRET }],
  ])('may hold a placeholder as %s', async (_, keys) => {
    const configured = await configureConnector(registry, parseConnectorConfig({ ...SINK, ...keys }));

    expect(configured.sink?.effect).toBe('transactional');
  });

  test.each([...WRITTEN_OUT])('holds none in %s, which is read before any is resolved', (key) => {
    const issues = issuesOf(() => parseConnectorConfig({ ...SINK, [key]: 'a${env:SECRET}' }));

    expect(issues).toEqual([{ path: key, message: expect.stringContaining('must be written out') }]);
  });

  test('is checked wherever it has no placeholder, and says all that is wrong', async () => {
    const wrong = { ...SINK, 'connection.url': SECRET, 'insert.mode': 'guess', 'batch.size': SECRET, 'auto.create': 'perhaps' };

    const config = parseConnectorConfig(wrong);
    const error = await configureConnector(registry, config).catch((thrown: unknown) => thrown);

    expect(error).toBeInstanceOf(ConfigError);
    expect((error as ConfigError).issues.map(({ path }) => path).sort()).toEqual(['auto.create', 'batch.size', 'insert.mode']);
  });

  test('misses no key that has a placeholder, and every one that has none', async () => {
    const config = parseConnectorConfig({ 'connector.class': 'datagen-source', shards: SECRET });
    const error = await configureConnector(registry, config).catch((thrown: unknown) => thrown);

    expect((error as ConfigError).issues).toEqual([{ path: 'topic', message: 'is required' }]);
  });

  test('takes a placeholder of no provider as the text that it is', () => {
    const issues = issuesOf(() => parseConnectorConfig({ ...SINK, 'put.timeout.ms': '${vault:a:b}' }));

    expect(issues.map(({ path }) => path)).toEqual(['put.timeout.ms']);
  });
});

describe('a configuration that was resolved', () => {
  test('takes what looks like a placeholder as the text that it is', () => {
    const issues = issuesOf(() => parseResolvedConfig({ ...SINK, 'put.timeout.ms': SECRET }));

    expect(issues.map(({ path }) => path)).toEqual(['put.timeout.ms']);
  });
});

function issuesOf(parse: () => unknown): ConfigError['issues'] {
  try {
    parse();
  } catch (error) {
    if (error instanceof ConfigError) return error.issues;
    throw error;
  }
  return [];
}

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Connector, connectorKey, decodeConnector, encodeConnector, readConnector } from '../../../core/connector.ts';
import { FatalTaskError } from '../../../core/errors.ts';
import { aHost } from '../../support/hosts.ts';

const connectors: fc.Arbitrary<Connector> = fc.record({
  name: fc.string(),
  uid: fc.string({ minLength: 1 }),
  revision: fc.nat(),
  targetState: fc.constantFrom('running', 'paused', 'stopped', 'deleted'),
  config: fc.dictionary(fc.string(), fc.string(), { noNullPrototype: true }),
  createdAtMs: fc.nat(),
});

const orders: Connector = {
  name: 'orders',
  uid: 'u1',
  revision: 3,
  targetState: 'paused',
  config: { 'connector.class': 'http-sink', topics: 'orders', password: '${file:/secrets:http}' },
  createdAtMs: 1_800_000_000_000,
};

/** As version 1 of the format is stored: every later version must read it. */
const STORED =
  '{"v":1,"name":"orders","uid":"u1","revision":3,"targetState":"paused","config":{"connector.class":"http-sink",' +
  '"topics":"orders","password":"${file:/secrets:http}"},"createdAtMs":1800000000000}';

describe('connectorKey', () => {
  test('lists all connectors together, by name', () => {
    expect(connectorKey('orders')).toEqual({ partition: 'connectors', sort: 'orders' });
  });
});

describe('encodeConnector', () => {
  test('is read back as it was, placeholders and all', () => {
    fc.assert(
      fc.property(connectors, (connector) => {
        expect(decodeConnector(encodeConnector(connector), connector.name)).toEqual(connector);
      }),
    );
  });
});

describe('decodeConnector', () => {
  test('reads format 1', () => {
    expect(decodeConnector(STORED, 'orders')).toEqual(orders);
  });

  test('ignores fields it does not know: a version that shares the format may write more', () => {
    expect(decodeConnector(STORED.replace('{"v":1,', '{"v":1,"more":true,'), 'orders')).toEqual(orders);
  });

  test('refuses a newer format by its number', () => {
    const newer = refusalOf('{"v":2}');

    expect(newer).toMatchObject({ code: 'store.document_newer' });
    expect(newer.message).toContain('orders is stored in format 2');
  });

  test.each([
    ['nothing', ''],
    ['half a document', STORED.slice(0, STORED.length / 2)],
    ['a number', '1'],
    ['a list', '[]'],
    ['no format', STORED.replace('"v":1,', '')],
    ['a format that is text', STORED.replace('"v":1', '"v":"1"')],
    ['no uid', STORED.replace('"uid":"u1",', '')],
    ['a uid that is no text', STORED.replace('"u1"', '1')],
    ['no revision', STORED.replace('"revision":3,', '')],
    ['a revision that is text', STORED.replace(':3', ':"3"')],
    ['no target state', STORED.replace('"targetState":"paused",', '')],
    ['no configuration', '{"v":1,"uid":"u1","revision":3,"targetState":"paused","createdAtMs":1}'],
  ])('refuses %s as corrupt, and names the connector', (_, text) => {
    const corrupt = refusalOf(text);

    expect(corrupt).toMatchObject({ code: 'store.document_corrupt' });
    expect(corrupt.message).toContain('connector orders');
  });
});

function refusalOf(text: string): FatalTaskError {
  try {
    decodeConnector(text, 'orders');
  } catch (error) {
    if (error instanceof FatalTaskError) return error;
    throw error;
  }
  throw new Error('it was read');
}

describe('readConnector', () => {
  test('answers null for a name nobody has', async () => {
    expect(await readConnector(aHost(), 'nobody')).toBeNull();
  });
});

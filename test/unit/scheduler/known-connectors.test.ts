import { describe, expect, test } from 'vitest';
import { encodeConnector } from '../../../core/connector.ts';
import type { StoredDocument } from '../../../core/ports.ts';
import { KnownConnectors } from '../../../scheduler/known-connectors.ts';
import { aHost } from '../../support/hosts.ts';

function documentOf(config: Readonly<Record<string, string>>, version: string): StoredDocument {
  const connector = { name: 'drop', uid: 'uid', revision: 1, targetState: 'running', createdAtMs: 1, config } as const;
  return { value: encodeConnector(connector), version };
}

function aKnowing(): KnownConnectors {
  const host = aHost();
  return new KnownConnectors({ ...host, skewMaxMs: host.settings.skewMaxMs });
}

describe('KnownConnectors', () => {
  test('works out what a document means once for each version of it', async () => {
    const known = aKnowing();
    const config = { 'connector.class': 'discard-sink', topics: 'orders' };
    const first = await known.of('drop', documentOf(config, '1'));

    const again = await known.of('drop', documentOf(config, '1'));
    const later = await known.of('drop', documentOf({ ...config, topics: 'rows' }, '2'));

    expect(again).toBe(first);
    expect(later).toMatchObject({ version: '2', topics: ['rows'], shown: { topics: 'rows' } });
  });

  test('looks again at what is unusable: what was wrong may pass', async () => {
    const known = aKnowing();
    const document = documentOf({ 'connector.class': 'nothing', topics: 'orders' }, '1');
    const first = await known.of('drop', document);

    expect(first).toMatchObject({ problem: expect.any(String) });
    expect(await known.of('drop', document)).not.toBe(first);
  });
});

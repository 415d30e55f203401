import { expect } from 'vitest';
import { connectorKey, decodeConnector, encodeConnector } from '../../../core/connector.ts';
import type { Case } from '../cases.ts';
import { created, key, type StoreUnderTest } from './store-under-test.ts';

export function values(check: Case<StoreUnderTest>): void {
  check('keeps a value of 256 KB', [], async ({ store }) => {
    const value = 'x'.repeat(256 * 1_024);

    const version = await created(store, key, value);

    expect(await store.get(key)).toEqual({ value, version });
  });

  check('refuses a value of more characters than 256 KB, and keeps the one before', [], async ({ store }) => {
    const version = await created(store, key, 'before');
    const value = 'x'.repeat(256 * 1_024 + 1);

    await expect(store.put(key, value, { ifVersion: version })).rejects.toThrow('up to 262144 characters, not 262145');
    await expect(store.put({ ...key, sort: 'new' }, value, { ifAbsent: true })).rejects.toThrow('cursors new');
    expect(await store.get(key)).toEqual({ value: 'before', version });
  });

  check('keeps values of any characters', [], async ({ store }) => {
    const texts = [
      '',
      ' ',
      'null',
      '{"a":1}',
      'é',
      'e\u0301',
      '漢字',
      '\u{1f600}',
      'a\u0000b',
      '\u0000',
      '\u{feff}bom',
      "it's; --",
      '\r\n',
    ];
    for (const [index, text] of texts.entries()) await created(store, { partition: 'texts', sort: `${index}` }, text);

    const found = await Promise.all(texts.map((_, index) => store.get({ partition: 'texts', sort: `${index}` })));

    expect(found.map((document) => document?.value)).toEqual(texts);
  });

  check('answers a corrupt document as it is, and its codec refuses it by name', [], async ({ store }) => {
    const text = encodeConnector(aConnector('orders')).slice(0, 40);
    await created(store, connectorKey('orders'), text);

    const document = await store.get(connectorKey('orders'));

    expect(document?.value).toBe(text);
    expect(() => decodeConnector(document?.value ?? '', 'orders')).toThrow(
      expect.objectContaining({ code: 'store.document_corrupt', message: expect.stringContaining('orders') }),
    );
  });

  check('answers a document of a newer format as it is, and its codec refuses it by name', [], async ({ store }) => {
    const text = JSON.stringify({ ...aConnector('orders'), v: 99 });
    await created(store, connectorKey('orders'), text);

    const document = await store.get(connectorKey('orders'));

    expect(document?.value).toBe(text);
    expect(() => decodeConnector(document?.value ?? '', 'orders')).toThrow(
      expect.objectContaining({ code: 'store.document_newer', message: expect.stringContaining('orders') }),
    );
  });
}

function aConnector(name: string) {
  return { name, uid: 'u1', revision: 1, targetState: 'running', config: { topics: 'orders' }, createdAtMs: 0 } as const;
}

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { OutgoingMessages } from '../../../../clients/rocketmq/outgoing-messages.ts';

/** Printed by RocketMQ's own classes, 5.3.3. */
const JAVA_BATCH =
  '00000027000000000000000000000000000000026230000f6b017630025741495401747275650200000027000000000000000000000000000000026231000f6b0176310257414954017472756502';

function write(messages: OutgoingMessages, body: Uint8Array, properties: readonly (readonly [string, string])[]): void {
  messages.begin(body);
  for (const [name, value] of properties) messages.property(name, value);
  messages.end();
}

describe('OutgoingMessages', () => {
  test('lie as the Java classes write them', () => {
    const messages = new OutgoingMessages();
    for (const digit of ['0', '1']) {
      write(messages, Buffer.from(`b${digit}`), [
        ['k', `v${digit}`],
        ['WAIT', 'true'],
      ]);
    }

    expect(messages.bytes(0, 2).toString('hex')).toBe(JAVA_BATCH);
  });

  test('can be written with what is UTF-8 already', () => {
    const messages = new OutgoingMessages();
    messages.begin(Buffer.from('b'));
    messages.propertyOfBytes('KEYS', Buffer.from('größe'));
    messages.end();

    expect(messages.message(0).properties).toBe('KEYS\u0001größe\u0002');
  });

  test('count properties in bytes', () => {
    const messages = new OutgoingMessages();
    write(messages, new Uint8Array(3), [['größe', '漢']]);

    expect([messages.lastPropertiesBytes, messages.lastBytes]).toEqual([12, 37]);
    expect(messages.bytes(0, 1).readInt32BE(0)).toBe(37);
  });

  test('are read back as they were written, whatever they are, and however little room was thought of', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 40 });
    const message = fc.record({ body: fc.uint8Array({ maxLength: 40 }), properties: text });
    fc.assert(
      fc.property(fc.array(message, { minLength: 1 }), (sent) => {
        const messages = OutgoingMessages.of(sent);
        const read = sent.map((_, index) => messages.message(index));

        expect(read.map(({ body, properties }) => ({ body: Uint8Array.from(body), properties }))).toEqual(sent);
        expect(Buffer.concat(sent.map((_, index) => messages.bytes(index, index + 1)))).toEqual(messages.bytes(0, sent.length));
      }),
    );
  });

  test('leave nothing of one that was dropped', () => {
    const messages = new OutgoingMessages(0);
    for (const body of ['a', 'large', 'b']) {
      write(messages, Buffer.from(body), []);
      if (body === 'large') messages.drop();
    }

    expect(messages.bytes(0, messages.count)).toEqual(OutgoingMessages.of(['a', 'b'].map(bodyAlone)).bytes(0, 2));
  });

  test('fill a batch up to its size, and one message is a batch however large it is', () => {
    const messages = OutgoingMessages.of(['a', 'b', 'large'].map(bodyAlone));

    expect([0, 1, 2].map((from) => messages.fitting(from, 2 * 23))).toEqual([2, 2, 3]);
  });
});

function bodyAlone(body: string): { readonly body: Uint8Array; readonly properties: string } {
  return { body: Buffer.from(body), properties: '' };
}

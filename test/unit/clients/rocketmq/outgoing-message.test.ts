import { describe, expect, test } from 'vitest';
import { encodeBatch, messageBytes, outgoingMessage } from '../../../../clients/rocketmq/outgoing-message.ts';
import { propertyText } from '../../../../clients/rocketmq/properties.ts';

/** Printed by RocketMQ's own classes, 5.3.3. */
const JAVA_BATCH =
  '00000027000000000000000000000000000000026230000f6b017630025741495401747275650200000027000000000000000000000000000000026231000f6b0176310257414954017472756502';

describe('encodeBatch', () => {
  test('writes what the Java classes write', () => {
    const messages = ['0', '1'].map((digit) =>
      outgoingMessage(Buffer.from(`b${digit}`), propertyText('k', `v${digit}`) + propertyText('WAIT', 'true')),
    );
    const bytes = messages.map(messageBytes).reduce((sum, each) => sum + each, 0);

    expect(encodeBatch(messages, bytes).toString('hex')).toBe(JAVA_BATCH);
  });

  test('counts properties in bytes', () => {
    const message = outgoingMessage(new Uint8Array(3), propertyText('größe', '漢'));

    expect(encodeBatch([message], messageBytes(message)).readInt32BE(0)).toBe(messageBytes(message));
  });
});

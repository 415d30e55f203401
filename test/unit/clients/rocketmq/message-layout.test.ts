import { describe, expect, test } from 'vitest';
import { messageBornAtMs, messageOffset, messageParts, messageStarts } from '../../../../clients/rocketmq/message-layout.ts';

/** Printed by RocketMQ's own classes, 5.3.3: offset 5, born at 1, stored at 2, body `hello`, property k=v. */
const JAVA_MESSAGE = Buffer.from(
  '00000065daa320a73610a6860000000300000000000000000000000500000000000003e80000000000000000000000017f000001000004d200000000000000027f00000100002a9f0000000000000000000000000000000568656c6c6f015400046b017602',
  'hex',
);

/** The same with hosts of IPv6, a topic of the second format and a compressed body. */
function otherMessage(): Buffer {
  const hosts = Buffer.alloc(20);
  const parts = [
    JAVA_MESSAGE.subarray(0, 48),
    hosts,
    JAVA_MESSAGE.subarray(56, 64),
    hosts,
    JAVA_MESSAGE.subarray(72, 93),
    Buffer.from([0]),
    JAVA_MESSAGE.subarray(93),
  ];
  const message = Buffer.concat(parts);
  message.writeInt32BE(message.length, 0);
  message.writeUInt32BE(0xdaa320ab, 4);
  message.writeInt32BE(0x331, 36);
  return message;
}

describe('messageStarts', () => {
  test('finds each message of an answer', () => {
    expect(messageStarts(Buffer.concat([JAVA_MESSAGE, otherMessage(), JAVA_MESSAGE]))).toEqual([0, 101, 101 + 126]);
  });

  test('refuses an answer that holds something else', () => {
    expect(() => messageStarts(JAVA_MESSAGE.subarray(0, 60))).toThrow('no message at byte 0');
    expect(() => messageStarts(Buffer.alloc(80))).toThrow('no message at byte 0');
    expect(() => messageStarts(Buffer.concat([JAVA_MESSAGE, Buffer.from('x')]))).toThrow('no message at byte 101');
  });
});

describe('messageParts', () => {
  test('finds the parts of a message of the Java classes', () => {
    const { bodyAt, bodyEnd, propertiesAt, propertiesEnd, storedAtMs, compression } = messageParts(JAVA_MESSAGE, 0);

    expect(JAVA_MESSAGE.toString('utf8', bodyAt, bodyEnd)).toBe('hello');
    expect(JAVA_MESSAGE.toString('utf8', propertiesAt, propertiesEnd)).toBe('k\u0001v\u0002');
    expect([storedAtMs, compression]).toEqual([2, 'none']);
    expect([messageOffset(JAVA_MESSAGE, 0), messageBornAtMs(JAVA_MESSAGE, 0)]).toEqual([5n, 1]);
  });

  test('finds those of one with longer hosts and a longer topic, behind another', () => {
    const answer = Buffer.concat([JAVA_MESSAGE, otherMessage()]);

    const { bodyAt, bodyEnd, propertiesAt, propertiesEnd, storedAtMs, compression } = messageParts(answer, JAVA_MESSAGE.length);

    expect(answer.toString('utf8', bodyAt, bodyEnd)).toBe('hello');
    expect(answer.toString('utf8', propertiesAt, propertiesEnd)).toBe('k\u0001v\u0002');
    expect([storedAtMs, compression]).toEqual([2, 'zlib']);
  });
});

import { describe, expect, test } from 'vitest';
import { decodeFrame, encodeRequestHead } from '../../../../clients/rocketmq/header.ts';

/** Printed by RocketMQ's own classes, 5.3.3. */
const JAVA_ROUTE_HEADER =
  '{"code":105,"extFields":{"topic":"T","acceptStandardJsonOnly":"true"},"flag":0,"language":"NODE_JS","opaque":7,"serializeTypeCurrentRPC":"JSON","version":433}';
const JAVA_ROUTE_PREFIX = '000000a20000009e';
const JAVA_BINARY_ROUTE =
  '000000450100004100690d01b10000000700000000000000000000002c0005746f706963000000015400166163636570745374616e646172644a736f6e4f6e6c790000000474727565';
const JAVA_BINARY_PULL =
  '000000e2010000de000b0d01b1000000080000000000000000000000c90007717565756549640000000130000a6d61784d73674e756d730000000233320007737973466c61670000000134001473757370656e6454696d656f75744d696c6c69730000000130000c636f6d6d69744f666673657400000001300005746f7069630000000154000b71756575654f66667365740000000135000e65787072657373696f6e5479706500000003544147000c737562736372697074696f6e000000012a000a73756256657273696f6e0000000130000d636f6e73756d657247726f75700000000167';

const route = { topic: 'T', acceptStandardJsonOnly: 'true' };

describe('encodeRequestHead', () => {
  test('says what the Java client says, without its note of the kind', () => {
    const head = encodeRequestHead({ code: 105, opaque: 7, fields: route }, 0);

    const { serializeTypeCurrentRPC: _, ...java } = JSON.parse(JAVA_ROUTE_HEADER) as Record<string, unknown>;
    expect(JSON.parse(head.toString('utf8', 8))).toEqual(java);
  });

  test('counts the header, and the body that follows, as the Java client does', () => {
    const head = encodeRequestHead({ code: 105, opaque: 7, fields: route }, 5);

    const headerBytes = head.length - 8;
    expect([head.readInt32BE(0), head.readUInt32BE(4)]).toEqual([4 + headerBytes + 5, headerBytes]);
    expect(JAVA_ROUTE_PREFIX).toBe(
      [4 + JAVA_ROUTE_HEADER.length, JAVA_ROUTE_HEADER.length].map((bytes) => bytes.toString(16).padStart(8, '0')).join(''),
    );
  });
});

describe('decodeFrame', () => {
  test('reads a JSON header of the Java classes', () => {
    const frame = Buffer.concat([
      Buffer.from(JAVA_ROUTE_PREFIX, 'hex').subarray(4),
      Buffer.from(JAVA_ROUTE_HEADER),
      Buffer.from('body'),
    ]);

    expect(decodeFrame(frame)).toEqual({
      code: 105,
      opaque: 7,
      isResponse: false,
      remark: null,
      fields: route,
      body: Buffer.from('body'),
    });
  });

  test('reads a binary header of the Java classes', () => {
    expect(decodeFrame(Buffer.from(JAVA_BINARY_ROUTE, 'hex').subarray(4))).toMatchObject({ code: 105, opaque: 7, fields: route });
    expect(decodeFrame(Buffer.from(JAVA_BINARY_PULL, 'hex').subarray(4))).toMatchObject({
      code: 11,
      opaque: 8,
      isResponse: false,
      remark: null,
      fields: {
        consumerGroup: 'g',
        topic: 'T',
        queueId: '0',
        queueOffset: '5',
        maxMsgNums: '32',
        sysFlag: '4',
        subscription: '*',
      },
    });
  });

  test('reads an answer with a remark and without fields', () => {
    const header = JSON.stringify({ code: 17, flag: 1, opaque: 3, remark: 'no route', language: 'JAVA', version: 479 });
    const frame = Buffer.concat([Buffer.from([0, 0, 0, header.length]), Buffer.from(header)]);

    expect(decodeFrame(frame)).toMatchObject({ code: 17, isResponse: true, remark: 'no route', fields: {} });
  });

  test('refuses what is no frame', () => {
    expect(() => decodeFrame(Buffer.from('HTTP/1.1 400 Bad Request'))).toThrow(/header/);
  });
});

/** `http-sink` with many records in a request, against a server on this machine. */
import { describe, expect, test } from 'vitest';
import { type Answer, inTurn, status, taken } from '../support/http-target.ts';
import { aTarget, failuresIn, openHttp, put, SHARD, thrown, valued, withHeader } from '../support/http-writer.ts';

const BATCHING = { 'batching.enabled': 'true' };
const JSON_ARRAY = { ...BATCHING, 'batch.prefix': '[', 'batch.separator': ',', 'batch.suffix': ']' };

describe('httpSink with batches', () => {
  test('sends records as lines, and says which ones they are', async () => {
    const target = await aTarget();
    const writer = await openHttp(target, { ...BATCHING, 'batch.max.size': '2' });

    const result = await put(writer, valued('a', 'b', 'c'));

    expect(result).toEqual({ failures: [], taken: 3 });
    expect(target.received.map(({ body, headers }) => [body, headers['idempotency-key']])).toEqual([
      ['a\nb\n', `${SHARD}/3/0-1`],
      ['c\n', `${SHARD}/3/2`],
    ]);
  });

  test('sends an array of JSON where it is told what surrounds records', async () => {
    const target = await aTarget();
    const writer = await openHttp(target, JSON_ARRAY);

    await put(writer, valued('{"a":1}', '{"b":2}', '3'));

    expect(target.received.map(({ body }) => JSON.parse(body) as unknown)).toEqual([[{ a: 1 }, { b: 2 }, 3]]);
  });

  test('gives a batch with a gap another key than one without', async () => {
    const target = await aTarget();
    const writer = await openHttp(target, BATCHING);
    const [first, , third] = valued('a', 'b', 'c');

    await put(writer, [first, third] as NonNullable<typeof first>[]);

    expect(target.received[0]?.headers['idempotency-key']).toBe(`${SHARD}/3/0-2:2`);
  });

  test('begins another batch where the URL or a header is another, or the body would be too long', async () => {
    const target = await aTarget();
    const writer = await openHttp(target, {
      ...BATCHING,
      'http.url': `${target.url}/\${header.kind}`,
      'http.headers.additional': 'X-Note: ${header.note}',
      'request.max.bytes': '6',
    });
    const kinds = ['x', 'x', 'x', 'x', 'y', 'y', 'x'];
    const records = valued('a', 'b', 'c', 'd', 'e', 'f', 'toolong').map((record, index) =>
      withHeader(withHeader(record, 'kind', kinds[index] ?? ''), 'note', index === 5 ? 'other' : 'same'),
    );

    const result = await put(writer, records);

    expect(failuresIn(result)).toEqual(['6 RecordError record.too_large']);
    expect(target.received.map(({ path, body }) => path + body)).toEqual(['/xa\nb\nc\n', '/xd\n', '/ye\n', '/yf\n']);
  });

  test('refuses or passes over records without a value, and sends the others', async () => {
    const target = await aTarget();
    const failing = await openHttp(target, BATCHING);
    const ignoring = await openHttp(target, { ...BATCHING, 'behavior.on.null.values': 'ignore' });

    const failed = await put(failing, valued(null, 'a', null, 'b'));
    const ignored = await put(ignoring, valued(null, 'a', null));
    const nothing = await put(ignoring, valued(null, null));

    expect(failuresIn(failed)).toEqual(['0 RecordError record.rejected', '2 RecordError record.rejected']);
    expect([ignored, nothing]).toEqual([
      { failures: [], taken: 3 },
      { failures: [], taken: 2 },
    ]);
    expect(target.received.map(({ body }) => body)).toEqual(['a\nb\n', 'a\n']);
  });

  test('finds the refused records of a batch with few requests, and sends all others in order', async () => {
    const bodies: string[] = [];
    const target = await aTarget(refusing(['17', '43'], bodies));
    const writer = await openHttp(target, BATCHING);

    const result = await put(writer, numbered(64));

    expect(failuresIn(result)).toEqual(['17 RecordError record.rejected', '43 RecordError record.rejected']);
    expect(bodies).toEqual(numbered(64).flatMap((_, index) => (index === 17 || index === 43 ? [] : [String(index)])));
    expect(target.received.length).toBeLessThan(40);
  });

  test('finds them over many puts where none has time for all of it', async () => {
    const bodies: string[] = [];
    const slow = refusing(['3'], bodies);
    const target = await aTarget((...answered) => void setTimeout(() => slow(...answered), 40));
    const writer = await openHttp(target, BATCHING);
    const refused: string[] = [];
    let puts = 0;

    for (let records = numbered(16); records.length > 0; puts += 1) {
      expect(puts).toBeLessThan(40);
      const result = await put(writer, records, { forMs: 100 }).catch(() => ({ failures: [], taken: 0 }));
      refused.push(...result.failures.map(({ index }) => String(records[index]?.log?.offset)));
      records = records.slice(result.taken);
    }

    expect(refused).toEqual(['3']);
    expect(bodies).toEqual(numbered(16).flatMap((_, index) => (index === 3 ? [] : [String(index)])));
    expect(puts).toBeGreaterThan(2);
  });

  test('refuses all records of a refused batch where it must not be split', async () => {
    const target = await aTarget(inTurn(taken, status(400)));
    const writer = await openHttp(target, { ...BATCHING, 'batch.max.size': '2', 'batch.split.on.refusal': 'false' });

    const result = await put(writer, valued('a', 'b', 'c', 'd'));

    expect(failuresIn(result)).toEqual(['2 RecordError record.rejected', '3 RecordError record.rejected']);
    expect(target.received).toHaveLength(2);
  });

  test('sends no larger batch again than one that was too large', async () => {
    const target = await aTarget((response, { body }) => void response.writeHead(body.length > 20 ? 413 : 200).end());
    const writer = await openHttp(target, BATCHING);

    const result = await put(writer, numbered(100).slice(10));

    const tooLarge = target.received.filter(({ body }) => body.length > 20);
    expect(result).toEqual({ failures: [], taken: 90 });
    expect(tooLarge.length).toBeLessThan(6);
  });

  test('puts a batch again where the endpoint is unwell, and keeps those before it', async () => {
    const target = await aTarget(inTurn(taken, status(503)));
    const writer = await openHttp(target, { ...BATCHING, 'batch.max.size': '2' });

    const result = await put(writer, numbered(7));

    expect([failuresIn(result), result.taken]).toEqual([['2 RetryableError target.unavailable'], 4]);
    expect(target.received).toHaveLength(2);
  });
});

describe('httpSink with batches that are answered record by record', () => {
  const RESULTS = { ...JSON_ARRAY, 'batch.results': 'array' };

  test('refuses those records that the answer refuses', async () => {
    const target = await aTarget(
      status(207, { body: JSON.stringify([201, { status: 422, error: 'no such\ncustomer' }, { status: 200 }, 409]) }),
    );
    const writer = await openHttp(target, RESULTS);

    const result = await put(writer, numbered(4));

    expect(failuresIn(result)).toEqual(['1 RecordError record.rejected', '3 RecordError record.rejected']);
    expect(result.failures[0]?.error.message).toBe(`${target.url} refuses it with HTTP 422: no such customer`);
  });

  test('puts those again that the answer asks for, and sends nothing behind their batch', async () => {
    const target = await aTarget(status(200, { body: '[200, 429, 200, 422]' }));
    const writer = await openHttp(target, { ...RESULTS, 'batch.max.size': '4' });

    const result = await put(writer, numbered(8));

    expect(failuresIn(result)).toEqual(['1 RetryableError target.throttled', '3 RecordError record.rejected']);
    expect([result.taken, target.received.length]).toEqual([4, 1]);
  });

  test.each([
    '',
    'OK',
    '[200]',
    '[200, 200, 200]',
    '[200, "200"]',
    '[200, {"code": 200}]',
    '{"results": [200, 200]}',
    `[200, 200${' '.repeat(100_000)}]`,
  ])('fails the shard where the answer has no such results: %.40j', async (body) => {
    const target = await aTarget(status(200, { body }));
    const writer = await openHttp(target, RESULTS);

    expect(await thrown(put(writer, numbered(2)))).toMatchObject({ name: 'FatalTaskError', code: 'task.failed' });
  });
});

/** Refuses each request that holds one of these lines, and notes the lines of all others. */
function refusing(lines: readonly string[], bodies: string[]): Answer {
  return (response, { body }) => {
    const own = body.split('\n').filter((line) => line !== '');
    const isRefused = own.some((line) => lines.includes(line));
    if (!isRefused) bodies.push(...own);
    response.writeHead(isRefused ? 422 : 200).end();
  };
}

function numbered(count: number) {
  return valued(...Array.from({ length: count }, (_, index) => String(index)));
}

import { expect } from 'vitest';
import { FatalTaskError, FencedError, RecordError } from '../../../core/errors.ts';
import { ConnectRecord, type Datum } from '../../../core/record/connect-record.ts';
import { bytesOf } from '../../support/log-records.ts';
import { heldWords, recordsOf, type SinkCase } from './sink-under-test.ts';

/** What every sink does, whatever its effect. */
export function deliveryCases(check: SinkCase): void {
  check('holds what was put once it is flushed', ['held'], async (sink) => {
    const writer = await sink.start();

    await writer.put(recordsOf(sink, 'a1 b1'));
    await writer.put(recordsOf(sink, 'c1', 2));
    await writer.flush();

    expect(await heldWords(sink)).toBe('a1 b1 c1');
  });

  check('keeps the order of each key, within and between batches (I7)', ['held'], async (sink) => {
    const writer = await sink.start();

    await writer.put(recordsOf(sink, 'a1 b1 a2 a3'));
    await writer.put(recordsOf(sink, 'a4 b2', 4));
    await writer.put(recordsOf(sink, 'b3 a5', 6));
    await writer.flush();

    for (const key of ['a', 'b']) {
      const texts = (await sink.held()).filter((one) => one.key === key).map(({ text }) => text);
      const all = key === 'a' ? ['1', '2', '3', '4', '5'] : ['1', '2', '3'];
      expect(texts).toEqual(all.slice(-texts.length));
    }
  });

  check('takes a full batch', ['held'], async (sink) => {
    const writer = await sink.start();
    const records = Array.from({ length: 500 }, (_, index) => sink.makeRecord({ key: `key-${index}`, text: 'x', offset: index }));

    const { failures } = await writer.put(records);
    await writer.flush();

    expect(failures).toEqual([]);
    expect(new Set((await sink.held()).map(({ key }) => key)).size).toBe(500);
  });

  check('throws when it is aborted, and blames nobody', [], async (sink) => {
    const writer = await sink.start();

    const error: unknown = await writer.put(recordsOf(sink, 'a1'), { signal: AbortSignal.abort() }).then(
      () => 'taken',
      (thrown) => thrown,
    );

    expect(error).toBeInstanceOf(Error);
    for (const blame of [FencedError, FatalTaskError, RecordError]) expect(error).not.toBeInstanceOf(blame);
  });

  check('says that it may be tried again while the target does not answer', ['breakDown'], async (sink) => {
    const writer = await sink.start();
    await sink.breakDown();

    await expect(writer.put(recordsOf(sink, 'a1'))).rejects.toMatchObject({ name: 'RetryableError' });
  });

  check('closes without a throw after a failed put', ['breakDown'], async (sink) => {
    const writer = await sink.start();
    await sink.breakDown();
    await writer.put(recordsOf(sink, 'a1')).catch(() => undefined);

    await expect(writer.close()).resolves.toBeUndefined();
  });

  check('closes without a throw after an abort, and when it was never used', [], async (sink) => {
    const aborted = await sink.start();
    await aborted.put(recordsOf(sink, 'a1'), { signal: AbortSignal.abort() }).catch(() => undefined);
    const unused = await sink.open();

    await expect(aborted.close()).resolves.toBeUndefined();
    await expect(unused.close()).resolves.toBeUndefined();
  });
}

/** What a sink that declares `reads: 'bytes'` promises. */
export function bytesCases(check: SinkCase): void {
  check('never looks at a value', [], async (sink) => {
    const writer = await sink.start();
    const [record] = recordsOf(sink, 'a1');

    const result = await writer.put([
      new ConnectRecord({ ...(record as ConnectRecord), key: undecodable('a'), value: undecodable('1') }),
    ]);

    expect(result.failures).toEqual([]);
  });
}

function undecodable(text: string): Datum {
  return {
    bytes: bytesOf(text),
    get schema(): never {
      throw new RecordError('somebody looked at the schema');
    },
    get value(): never {
      throw new RecordError('somebody looked at the value');
    },
  };
}

/** Where nothing is transactional, one refused record takes no other with it. */
export function refusalCases(check: SinkCase): void {
  check('refuses one record and takes all others', ['held', 'makeRefused'], async (sink) => {
    const writer = await sink.start();
    const [a, b] = recordsOf(sink, 'a1 b1') as [ConnectRecord, ConnectRecord];

    const { failures } = await writer.put([a, sink.makeRefused({ key: 'r', text: '1', offset: 1 }), b]);
    await writer.flush();

    expect(failures.map(({ index, error }) => [index, error.name])).toEqual([[1, 'RecordError']]);
    expect(await heldWords(sink)).toBe('a1 b1');
  });
}

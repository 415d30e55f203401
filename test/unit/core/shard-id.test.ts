import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AssertionError } from '../../../core/assert.ts';
import { FatalTaskError } from '../../../core/errors.ts';
import { parseShardId, queueOfShard, queueShardId, type ShardId, shardId } from '../../../core/shard-id.ts';

/** Any text that has a UTF-8 form; what an id is made of must have one. */
const texts = fc.oneof(
  fc.string({ unit: 'binary' }).map((text) => text.toWellFormed()),
  fc.constantFrom('', '/', '%', '%2F', '%25', '//', '..', ' ', 'größe', '表', '🙂', '\u0000', 'a/b', '__proto__'),
);

describe('shardId', () => {
  test('begins with the uid, so that all shards of a connector lie together', () => {
    expect(shardId('uid', ['table', 'shop', 'orders'])).toBe('uid/table/shop/orders');
  });

  test('keeps a separator inside a part apart from one between parts', () => {
    expect(shardId('uid', ['a/b', '100%'])).toBe('uid/a%2Fb/100%25');
    expect(shardId('uid', ['a/b'])).not.toBe(shardId('uid', ['a', 'b']));
  });

  test('is read back part by part, whatever the parts are', () => {
    fc.assert(
      fc.property(texts, fc.array(texts, { minLength: 1 }), (uid, parts) => {
        expect(parseShardId(shardId(uid, parts))).toEqual({ uid, parts });
      }),
    );
  });

  test('is the same for the same parts only', () => {
    const ids = fc.tuple(texts, fc.array(texts, { minLength: 1, maxLength: 3 }));
    fc.assert(
      fc.property(ids, ids, ([uid, parts], [otherUid, otherParts]) => {
        const areSame = JSON.stringify([uid, parts]) === JSON.stringify([otherUid, otherParts]);

        expect(shardId(uid, parts) === shardId(otherUid, otherParts)).toBe(areSame);
      }),
    );
  });

  test('is ASCII, so that its order is the order of its bytes', () => {
    fc.assert(
      fc.property(texts, fc.array(texts, { minLength: 1 }), (uid, parts) => {
        expect(shardId(uid, parts)).toMatch(/^[!-~]*$/);
      }),
    );
  });

  test('needs a part', () => {
    expect(() => shardId('uid', [])).toThrow(AssertionError);
  });

  test('refuses a part that no encoding can write, and names it', () => {
    expect(() => shardId('uid', ['orders', 'a\ud800b'])).toThrow(FatalTaskError);
    expect(() => shardId('uid', ['orders', 'a\ud800b'])).toThrow('"a\\ud800b"');
  });
});

describe('parseShardId', () => {
  test('refuses a uid alone', () => {
    expect(() => parseShardId('uid' as ShardId)).toThrow(AssertionError);
  });
});

describe('queueOfShard', () => {
  test('names the message queue of a sink', () => {
    const queue = { topic: '%RETRY%orders', brokerName: 'broker-a', queueId: 12 };

    expect(queueShardId('uid', queue)).toBe('uid/queue/%25RETRY%25orders/broker-a/12');
    expect(queueOfShard(queueShardId('uid', queue))).toEqual(queue);
  });

  test('is undefined for the shard of a source', () => {
    expect(queueOfShard(shardId('uid', ['table', 'shop', 'orders', '0']))).toBeUndefined();
    expect(queueOfShard(shardId('uid', ['queue']))).toBeUndefined();
  });
});

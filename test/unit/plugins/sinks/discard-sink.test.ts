import { describe, expect, test } from 'vitest';
import { shardId } from '../../../../core/shard-id.ts';
import { discardSink } from '../../../../plugins/sinks/discard-sink.ts';
import { aPluginContext } from '../../../support/plugin-context.ts';

describe('discardSink', () => {
  test('takes every record', async () => {
    const writer = await discardSink.open({}, aPluginContext());

    const result = await writer.put(
      { shard: shardId('uid', ['0']), generation: 0, epoch: 1, records: [], position: null, forMs: 5_000 },
      new AbortController().signal,
    );

    expect(result).toEqual({ failures: [] });
  });

  test('has no keys of its own', () => {
    expect(discardSink.config.parse({})).toEqual({});
  });
});

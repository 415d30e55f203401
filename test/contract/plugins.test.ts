import { RecordError, RetryableError } from '../../core/errors.ts';
import type { ConnectRecord } from '../../core/record/connect-record.ts';
import type { Struct, Value } from '../../core/record/schema.ts';
import type { Effect } from '../../plugins/api/sink.ts';
import { discardSink } from '../../plugins/sinks/discard-sink.ts';
import { fileSink } from '../../plugins/sinks/file-sink.ts';
import { fileStreamSink } from '../../plugins/sinks/file-stream-sink.ts';
import { httpSink } from '../../plugins/sinks/http-sink.ts';
import { rocketmqSink } from '../../plugins/sinks/rocketmq-sink.ts';
import { datagenSource } from '../../plugins/sources/datagen-source.ts';
import { fileSource } from '../../plugins/sources/file-source.ts';
import { rocketmqSource } from '../../plugins/sources/rocketmq-source.ts';
import { sqliteCdcSource } from '../../plugins/sources/sqlite-cdc-source.ts';
import { aSinkRecord, textDatum } from '../support/connect-records.ts';
import { aFileSystem, aPartTarget, aStreamTarget } from '../support/file-targets.ts';
import { anAcceptanceTarget } from '../support/http-target.ts';
import { memorySink } from '../support/memory-sink.ts';
import { heldRecords, type MemoryTarget, memoryTarget } from '../support/memory-target.ts';
import { aClusterToCopy, aClusterToFill } from '../support/replication.ts';
import { aQuietShop } from '../support/shop-database.ts';
import { sqlAcceptanceTarget } from '../support/sql-target.ts';
import type { SinkTarget } from './sink/sink-under-test.ts';
import { sinkAcceptance } from './sink-acceptance.ts';
import { sourceAcceptance } from './source-acceptance.ts';

const nothingToClose = (): Promise<void> => Promise.resolve();

sourceAcceptance({
  plugin: datagenSource,
  requiredKeys: ['topic'],
  newSystem: async () => ({ config: { topic: 'orders', 'record.count': '20', shards: '2' }, close: nothingToClose }),
});

sourceAcceptance({ plugin: sqliteCdcSource, requiredKeys: ['connection.url', 'topic.prefix'], newSystem: aQuietShop });

sourceAcceptance({ plugin: fileSource, requiredKeys: ['topic'], newSystem: aFileSystem });

sourceAcceptance({ plugin: rocketmqSource, requiredKeys: ['namesrv.addr', 'source.topics'], newSystem: aClusterToCopy });

sinkAcceptance({
  plugin: discardSink,
  requiredKeys: [],
  newTarget: async () => ({ config: {}, close: nothingToClose }),
});

sinkAcceptance({ ...sqlAcceptanceTarget(), requiredKeys: ['connection.url'] });

/** Each put is published at once, so that all that was put can be read. */
sinkAcceptance({ plugin: fileSink, requiredKeys: ['directory'], newTarget: () => aPartTarget({ 'file.roll.records': '1' }) });

/** Parts stay open, and each claim takes over what the one before has left. */
sinkAcceptance({
  plugin: { ...fileSink, name: 'file-sink, with parts that stay open' },
  requiredKeys: ['directory'],
  newTarget: async () => {
    const { held: _held, ...target } = await aPartTarget({});
    return target;
  },
});

sinkAcceptance({
  plugin: fileStreamSink,
  requiredKeys: ['file'],
  newTarget: aStreamTarget,
  skip: [
    {
      reason: 'a line says nothing of its record but the value',
      tests: ['gives a record the same id when it is delivered again, and another record another'],
    },
  ],
});

sinkAcceptance({ plugin: rocketmqSink, requiredKeys: ['namesrv.addr'], newTarget: aClusterToFill });

sinkAcceptance({ plugin: httpSink, requiredKeys: ['http.url'], newTarget: anAcceptanceTarget });

sinkAcceptance({
  plugin: { ...httpSink, name: 'http-sink, several requests at once' },
  requiredKeys: ['http.url'],
  newTarget: () => anAcceptanceTarget({ 'http.concurrency': '8' }),
});

sinkAcceptance({
  plugin: { ...httpSink, name: 'http-sink, many records in one request' },
  requiredKeys: ['http.url'],
  newTarget: () => anAcceptanceTarget({ 'batching.enabled': 'true' }),
  skip: [
    {
      reason: 'the id is that of a batch',
      tests: ['gives a record the same id when it is delivered again, and another record another'],
    },
  ],
});

for (const effect of ['transactional', 'versioned', 'append', 'overwrite'] as const) memorySinkAcceptance(effect);

/** The reference targets: they also show that the suite can be passed, effect by effect. */
function memorySinkAcceptance(effect: Effect): void {
  let target: MemoryTarget = memoryTarget(effect);
  sinkAcceptance({
    plugin: { ...memorySink(target), open: (config, context) => memorySink(target).open(config, context) },
    requiredKeys: [],
    newTarget: async () => {
      target = memoryTarget(effect);
      return inMemory(target);
    },
  });
}

function inMemory(target: MemoryTarget): SinkTarget {
  const refused = new Set<ConnectRecord>();
  target.refusal = (record) => (refused.has(record) ? new RecordError('this one was marked') : undefined);
  return {
    config: {},
    held: async () => heldRecords(target).map(({ id, key, value }) => ({ id, key: key as string, text: value as string })),
    heldField: async (key) => fieldOf(heldRecords(target).find((record) => record.key === key)?.value),
    makeRefused: ({ key, text, offset }) => {
      const record = aSinkRecord({ key: textDatum(key), value: textDatum(text), offset });
      refused.add(record);
      return record;
    },
    breakDown: async () => {
      target.beforeWrite = () => Promise.reject(new RetryableError('the target is away'));
    },
    close: nothingToClose,
  };
}

function fieldOf(value: Value | undefined): Value {
  return (value as Struct)['field'] ?? null;
}

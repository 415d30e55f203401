/** What the connector does, without the product around it: reads, converts, sends, one batch after another. */
import { systemClock, systemFetch, systemRandom } from '../../adapters/system.ts';
import type { LogBroker, OutgoingRecord } from '../../core/ports.ts';
import { murmur2 } from '../../core/record/murmur2.ts';
import { shardId } from '../../core/shard-id.ts';
import type { PluginContext } from '../../plugins/api/context.ts';
import type { Converter } from '../../plugins/api/converter.ts';
import type { SourceReader } from '../../plugins/api/source.ts';
import { jsonConverter } from '../../plugins/converters/json-converter.ts';
import { mysqlCdcSource } from '../../plugins/sources/mysql-cdc-source.ts';
import { BATCH_RECORDS } from '../whole/topic.ts';

const LIMITS = { records: BATCH_RECORDS, bytes: 4 * 1_024 * 1_024, waitMs: 0 };

export interface PlainLoop {
  readonly log: LogBroker;
  readonly topic: string;
  readonly queues: number;
  readonly config: Readonly<Record<string, string>>;
  readonly records: number;
}

export async function plainLoop({ log, topic, queues: count, config, records }: PlainLoop): Promise<void> {
  await log.ensureTopic(topic, { queues: count });
  const queues = await log.queues(topic);
  const [keys, values] = [jsonWithoutSchemas(true), jsonWithoutSchemas(false)];
  const reader = await openReader(log, config);
  try {
    for (let sent = 0; sent < records; ) {
      const polled = await reader.poll(LIMITS, new AbortController().signal);
      const batches: OutgoingRecord[][] = queues.map(() => []);
      for (const record of polled.records) {
        const key = keys.fromConnect(topic, record.key.schema, record.key.value);
        const value = values.fromConnect(topic, record.value.schema, record.value.value);
        batches[murmur2(key ?? NO_BYTES) % count]?.push({ key, value, tag: null, headers: [], bornAtMs: systemClock.nowMs() });
      }
      await Promise.all(queues.map((queue, index) => log.send(queue, batches[index] ?? [])));
      sent += polled.records.length;
    }
  } finally {
    await reader.close();
  }
}

function openReader(broker: LogBroker, config: Readonly<Record<string, string>>): Promise<SourceReader> {
  const context: PluginContext = {
    connector: 'plain',
    createdAtMs: 0,
    shard: shardId('plain', ['source', 'binlog']),
    clock: systemClock,
    random: systemRandom,
    fetch: systemFetch,
    broker,
    shards: async () => [],
    log: () => undefined,
    count: () => undefined,
  };
  return mysqlCdcSource.open(mysqlCdcSource.config.parse(config), ['binlog'], null, context);
}

function jsonWithoutSchemas(isKey: boolean): Converter {
  return jsonConverter.create(jsonConverter.config.parse({ 'schemas.enable': 'false' }), isKey ? 'key' : 'value');
}

const NO_BYTES = new Uint8Array(0);

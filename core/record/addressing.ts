/** What of a record its source's configuration sets: the tag, the words that find it, and what chooses its queue. */
import type { RuntimeConfig } from '../config/connector-config.ts';
import type { ConnectRecord } from './connect-record.ts';

const KEYS = {
  tag: 'producer.override.tag',
  keys: 'producer.override.keys',
  shardingKey: 'producer.override.sharding.key',
} as const;

/** `null`: nothing is set. Where a record lacks what a template names, it stays as its source made it. */
export function addressingOf(runtime: RuntimeConfig): ((record: ConnectRecord) => ConnectRecord) | null {
  const { [KEYS.tag]: tag, [KEYS.keys]: keys, [KEYS.shardingKey]: shardingKey } = runtime;
  if (tag === undefined && keys === undefined && shardingKey === undefined) return null;
  return (record) => {
    const wished = shardingKey?.fill(record);
    return record.with({
      tag: tag?.fill(record) ?? record.tag,
      keys: keys?.fill(record) ?? record.keys,
      ...(wished === undefined || wished === null ? {} : { shardingKey: wished, queueIndex: null }),
    });
  };
}

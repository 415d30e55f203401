/**
 * A process that dies in the middle of a transaction of `sql-sink`: `stuck-sql-writer.ts PATH`. Puts `a` and `b`, then a batch
 * whose last record never ends; by then its first ones are written. Says `in the middle` on standard output and waits to be killed.
 */
import { writeSync } from 'node:fs';
import process from 'node:process';
import { shardId } from '../../core/shard-id.ts';
import { sqlSink } from '../../plugins/sinks/sql-sink.ts';
import { aSinkRecord, textDatum } from './connect-records.ts';
import { aPluginContext } from './plugin-context.ts';

const [path = ''] = process.argv.slice(2);
const slice = { shard: shardId('uid', ['queue', 'orders', 'broker-a', '0']), generation: 1, epoch: 1 };
const never = new AbortController().signal;

const endless = {
  get text(): string {
    writeSync(1, 'in the middle\n');
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    return 'never';
  },
};

const writer = await sqlSink.open(
  sqlSink.config.parse({
    'connection.url': `sqlite:${path}`,
    'insert.mode': 'upsert',
    'pk.mode': 'record_key',
    'pk.fields': 'id',
    'auto.create': 'true',
  }),
  aPluginContext(),
);
await writer.begin?.(slice, never);
await writer.put({ ...slice, records: [row('a', { text: '1' }), row('b', { text: '1' })], position: '2', forMs: 5_000 }, never);
await writer.put(
  { ...slice, records: [row('a', { text: '2' }), row('c', { text: '2' }), row('d', endless)], position: '5', forMs: 5_000 },
  never,
);

function row(key: string, value: { readonly text: string }) {
  return aSinkRecord({ key: textDatum(key), value: { schema: null, value } });
}

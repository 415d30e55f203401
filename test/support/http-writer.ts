/** A writer of `http-sink` to a target that is stopped with its test. */
import { onTestFinished } from 'vitest';
import { systemClock } from '../../adapters/system.ts';
import type { ConnectRecord } from '../../core/record/connect-record.ts';
import { shardId } from '../../core/shard-id.ts';
import type { PluginContext } from '../../plugins/api/context.ts';
import type { PutResult, SinkWriter } from '../../plugins/api/sink.ts';
import { httpSink } from '../../plugins/sinks/http-sink.ts';
import { aSinkRecord, textDatum } from './connect-records.ts';
import { type Answer, anHttpTarget, type HttpTarget } from './http-target.ts';
import { aPluginContext } from './plugin-context.ts';

export const SHARD = shardId('uid', ['queue', 'orders', 'broker-a', '0']);

const NEVER = new AbortController().signal;

export async function aTarget(answer?: Answer): Promise<HttpTarget> {
  const target = await anHttpTarget(answer);
  onTestFinished(() => target.stop());
  return target;
}

/** In real time. `http.url` is the target's, unless the keys say otherwise. */
export function openHttp(
  { url }: Pick<HttpTarget, 'url'>,
  keys: Readonly<Record<string, string>> = {},
  context: Partial<PluginContext> = {},
): Promise<SinkWriter> {
  const config = httpSink.config.parse({ 'http.url': url, ...keys });
  return httpSink.open(config, { ...aPluginContext({ clock: systemClock }), ...context });
}

/** One put. */
export function put(
  writer: SinkWriter,
  records: readonly ConnectRecord[],
  { forMs = 5_000 }: { readonly forMs?: number } = {},
): Promise<PutResult> {
  return writer.put({ shard: SHARD, generation: 3, epoch: 1, position: null, forMs, records }, NEVER);
}

/** What a put throws. */
export function thrown(put: Promise<unknown>): Promise<unknown> {
  return put.then(
    () => 'nothing',
    (error: unknown) => error,
  );
}

/** Records of the offsets 0, 1, ... with these values; each is its own key. */
export function valued(...texts: readonly (string | null)[]): readonly ConnectRecord[] {
  return texts.map((text, offset) =>
    aSinkRecord({
      key: textDatum(text ?? 'gone'),
      value: text === null ? { schema: null, value: null, bytes: null } : textDatum(text),
      offset,
    }),
  );
}

/** Indexes of failures, and the names of their errors. */
export function failuresIn({ failures }: PutResult): readonly string[] {
  return failures.map(({ index, error }) => `${index} ${error.name} ${error.code}`);
}

export function withHeader(record: ConnectRecord, name: string, value: string): ConnectRecord {
  return record.with({ headers: [...record.headers, { name, schema: null, value }] });
}

/** Readers of `mysql-cdc-source` in tests. */
import { onTestFinished } from 'vitest';
import { systemClock } from '../../adapters/system.ts';
import type { Json } from '../../core/json.ts';
import { shardId } from '../../core/shard-id.ts';
import type { FoundShard } from '../../plugins/api/context.ts';
import type { PolledRecord, PollLimits, PollResult, SourceReader } from '../../plugins/api/source.ts';
import { mysqlCdcSource } from '../../plugins/sources/mysql-cdc-source.ts';
import { aPluginContext } from './plugin-context.ts';

const LIMITS: PollLimits = { records: 1_000, bytes: 10_000_000, waitMs: 0 };
const NEVER = new AbortController().signal;

export type CdcKeys = Readonly<Record<string, string>>;

/** A server, or what stands in for one. */
export interface Reached {
  readonly server: () => { readonly port: number };
}

export function cdcConfig({ server }: Reached, keys: CdcKeys) {
  return mysqlCdcSource.config.parse({
    'database.hostname': '127.0.0.1',
    'database.port': String(server().port),
    'database.user': 'root',
    'topic.prefix': 'test',
    ...keys,
  });
}

/** Of the log. */
export function aCdcReader(database: Reached, checkpoint: Json, keys: CdcKeys = {}): Promise<SourceReader> {
  return aShardReader(database, { names: ['binlog'], checkpoint, keys });
}

export interface ReaderOptions {
  readonly names: readonly string[];
  readonly checkpoint: Json;
  readonly keys?: CdcKeys;
  /** What a discovery has found, as it is by then. */
  readonly shards?: () => readonly FoundShard[];
}

/** Closed with the test. */
export async function aShardReader(
  database: Reached,
  { names, checkpoint, keys = {}, shards = () => [] }: ReaderOptions,
): Promise<SourceReader> {
  const config = cdcConfig(database, keys);
  // Each test is a connector of its own: a server knows them by a number that is made of this.
  const shard = shardId(`uid-${process.pid}-${performance.now()}`, ['source', ...names]);
  const context = aPluginContext({ clock: systemClock, shard, shards: async () => shards() });
  const reader = await mysqlCdcSource.open(config, names, checkpoint, context);
  onTestFinished(() => reader.close());
  return reader;
}

export function pollOnce(reader: SourceReader, limits: Partial<PollLimits> = {}): Promise<PollResult> {
  return reader.poll({ ...LIMITS, ...limits }, NEVER);
}

/** Until there is nothing more for now. */
export async function drain(reader: SourceReader, limits: Partial<PollLimits> = {}): Promise<readonly PollResult[]> {
  const results: PollResult[] = [];
  for (;;) {
    const result = await pollOnce(reader, limits);
    results.push(result);
    if (result.records.length === 0 && result.idleForMs !== undefined) return results;
  }
}

export function recordsIn(results: readonly PollResult[]): readonly PolledRecord[] {
  return results.flatMap(({ records }) => records);
}

export function lastCheckpoint(results: readonly PollResult[]): Json {
  return results.at(-1)?.checkpoint ?? null;
}

import { assert } from '../../../core/assert.ts';
import type { Json } from '../../../core/json.ts';
import type { CancelSignal } from '../../../core/ports.ts';
import type {
  PolledRecord,
  PollLimits,
  PollResult,
  SourcePlugin,
  SourceReader,
  SourceShard,
} from '../../../plugins/api/source.ts';
import { aPluginContext } from '../../support/plugin-context.ts';
import type { Case, Skip } from '../cases.ts';

export interface SourceSystem {
  /** A valid configuration for this system: the plugin's own keys, as text. */
  readonly config: Readonly<Record<string, string>>;
  readonly close: () => Promise<void>;
}

export interface SourceAcceptance {
  readonly plugin: SourcePlugin;
  /** Keys without a default. */
  readonly requiredKeys: readonly string[];
  /** A system whose every shard holds from 5 to a few hundred records and changes no more. */
  newSystem(): Promise<SourceSystem>;
  readonly skip?: readonly Skip[];
}

export interface CaseSource {
  readonly config: SourceSystem['config'];
  readonly discover: () => Promise<readonly SourceShard[]>;
  readonly shards: () => Promise<readonly SourceShard['names'][]>;
  /** Readers are closed with the case, in any case. */
  readonly open: (shard: SourceShard['names'], checkpoint: Json) => Promise<SourceReader>;
  readonly close: () => Promise<void>;
}

export type SourceCase = Case<CaseSource>;

export const LIMITS: PollLimits = { records: 3, bytes: 1_000_000, waitMs: 0 };

export const NEVER: CancelSignal = new AbortController().signal;

/** A poll that gives nothing and no word of why may happen, but not so often in a row. */
const SILENT_POLLS_MAX = 100;

/** A system of the size that `newSystem` promises has ended long before. */
const POLLS_MAX = 10_000;

export function caseSource(plugin: SourcePlugin, system: SourceSystem): CaseSource {
  const readers: SourceReader[] = [];
  const config: unknown = plugin.config.parse(system.config);
  const discover = () => plugin.discover(config, aPluginContext());

  async function open(shard: SourceShard['names'], checkpoint: Json): Promise<SourceReader> {
    const reader = await plugin.open(config, shard, checkpoint, aPluginContext());
    readers.push(reader);
    return reader;
  }

  async function close(): Promise<void> {
    for (const reader of readers) await reader.close();
    await system.close();
  }

  return { config: system.config, discover, shards: async () => (await discover()).map(({ names }) => names), open, close };
}

/** Polls until the shard has finished or has nothing more for now. */
export async function pollToEnd(reader: SourceReader, limits: PollLimits = LIMITS): Promise<readonly PollResult[]> {
  const results: PollResult[] = [];
  let silent = 0;
  while (results.length < POLLS_MAX && silent < SILENT_POLLS_MAX) {
    const result = await reader.poll(limits, NEVER);
    results.push(result);
    silent = result.records.length === 0 ? silent + 1 : 0;
    if (result.finished === true || (result.records.length === 0 && result.idleForMs !== undefined)) return results;
  }
  assert(false, `the shard neither ends nor rests after ${results.length} polls`);
}

export function recordsIn(results: readonly PollResult[]): readonly PolledRecord[] {
  return results.flatMap(({ records }) => records);
}

/** What of a record must be the same when it is polled again. */
export function identityOf({ topic, key, value, position }: PolledRecord): unknown {
  return { topic, key: key.value, value: value.value, position };
}

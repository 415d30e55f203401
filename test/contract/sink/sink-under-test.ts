import { expect } from 'vitest';
import { RetryableError } from '../../../core/errors.ts';
import type { Json } from '../../../core/json.ts';
import type { CancelSignal } from '../../../core/ports.ts';
import type { ConnectRecord } from '../../../core/record/connect-record.ts';
import type { Value } from '../../../core/record/schema.ts';
import { shardId } from '../../../core/shard-id.ts';
import type { PutBatch, PutResult, SinkPlugin, SinkWriter, SliceIdentity } from '../../../plugins/api/sink.ts';
import { aSinkRecord, textDatum } from '../../support/connect-records.ts';
import { aPluginContext } from '../../support/plugin-context.ts';
import type { Case, Skip } from '../cases.ts';

/** What the suite wants to be delivered: `key` decides what overwrites what, `text` tells one from the other. */
export interface RecordText {
  readonly key: string;
  readonly text: string;
  readonly offset: number;
}

export interface HeldText {
  readonly key: string;
  readonly text: string;
  /** The idempotency key an `append` target received with it. */
  readonly id?: string;
}

/** What a target may lack; the cases that need it are skipped then. */
interface TargetAbilities {
  /** What the target holds: of each key everything, or the newest, oldest first. */
  readonly held: () => Promise<readonly HeldText[]>;
  /** The field `field` of the struct that was delivered under this key. */
  readonly heldField: (key: string) => Promise<Value>;
  /** A record that the target refuses for itself. */
  readonly makeRefused: (fields: RecordText) => ConnectRecord;
  /** From now on the target does not answer. */
  readonly breakDown: () => Promise<void>;
}

export interface SinkTarget extends Partial<TargetAbilities> {
  /** A valid configuration for this target: the plugin's own keys, as text. */
  readonly config: Readonly<Record<string, string>>;
  /** Absent: key and value are text. */
  readonly makeRecord?: (fields: RecordText) => ConnectRecord;
  readonly close: () => Promise<void>;
}

export interface SinkAcceptance {
  readonly plugin: SinkPlugin;
  /** Keys without a default. */
  readonly requiredKeys: readonly string[];
  /** An empty target for each case. */
  newTarget(): Promise<SinkTarget>;
  readonly skip?: readonly Skip[];
}

export interface OpenWriter {
  begin(): Promise<Json>;
  /** At the position behind the last record, unless told otherwise. */
  put(
    records: readonly ConnectRecord[],
    options?: { readonly position?: Json; readonly signal?: CancelSignal },
  ): Promise<PutResult>;
  flush(): Promise<void>;
  close(): Promise<void>;
}

export interface CaseSink extends Partial<TargetAbilities> {
  readonly config: SinkTarget['config'];
  readonly makeRecord: (fields: RecordText) => ConnectRecord;
  /** Writers are closed with the case, in any case. */
  readonly open: (slice?: Partial<SliceIdentity>) => Promise<OpenWriter>;
  /** Opened, and begun where the effect asks for it. */
  readonly start: (slice?: Partial<SliceIdentity>) => Promise<OpenWriter>;
  readonly close: () => Promise<void>;
}

export type SinkCase = Case<CaseSink>;

/** What `put.timeout.ms` is when nobody sets it. */
const PUT_FOR_MS = 5_000;

const SHARD = shardId('uid', ['queue', 'orders', 'broker-a', '0']);

export function caseSink(plugin: SinkPlugin, target: SinkTarget): CaseSink {
  const writers: SinkWriter[] = [];

  async function open(slice: Partial<SliceIdentity> = {}): Promise<OpenWriter> {
    const writer = await plugin.open(plugin.config.parse(target.config), aPluginContext());
    writers.push(writer);
    return openWriter(writer, { shard: SHARD, generation: 1, epoch: 1, ...slice });
  }

  async function start(slice?: Partial<SliceIdentity>): Promise<OpenWriter> {
    const opened = await open(slice);
    if (plugin.effect === 'transactional') await opened.begin();
    return opened;
  }

  async function close(): Promise<void> {
    for (const writer of writers) await writer.close();
    await target.close();
  }

  return { makeRecord: textRecord, ...target, open, start, close };
}

function openWriter(writer: SinkWriter, slice: SliceIdentity): OpenWriter {
  const never = new AbortController().signal;
  return {
    begin: async () => (await writer.begin?.(slice, never)) ?? null,
    put: (records, { position = behind(records), signal = never } = {}) =>
      putAll(writer, { ...slice, records, position }, signal),
    flush: () => writer.flush(never),
    close: () => writer.close(),
  };
}

/** Puts the rest again where the sink has not taken all, as the runtime does. */
async function putAll(writer: SinkWriter, batch: Omit<PutBatch, 'forMs'>, signal: CancelSignal): Promise<PutResult> {
  const { failures, taken = batch.records.length, ...facts } = await writer.put({ ...batch, forMs: PUT_FOR_MS }, signal);
  if (taken === batch.records.length || failures.some(({ error }) => error instanceof RetryableError)) {
    return { failures, ...facts };
  }
  expect(taken, 'what a put has taken that says of no record why not').toBeGreaterThan(0);
  const rest = await putAll(writer, { ...batch, records: batch.records.slice(taken) }, signal);
  return { ...rest, failures: [...failures, ...rest.failures.map(({ index, error }) => ({ index: index + taken, error }))] };
}

function textRecord({ key, text, offset }: RecordText): ConnectRecord {
  return aSinkRecord({ key: textDatum(key), value: textDatum(text), offset });
}

function behind(records: readonly ConnectRecord[]): Json {
  const last = records.at(-1)?.log?.offset;
  return last === undefined ? null : String(last + 1n);
}

/** `a1 b2` for a record of key a with the text 1, then one of key b; offsets count from `from` on. */
export function recordsOf({ makeRecord }: Pick<CaseSink, 'makeRecord'>, words: string, from = 0): readonly ConnectRecord[] {
  return words.split(' ').map((word, index) => makeRecord({ key: word.slice(0, 1), text: word.slice(1), offset: from + index }));
}

/** The same notation for what is held, keys in ascending order. */
export async function heldWords({ held }: Required<Pick<CaseSink, 'held'>>): Promise<string> {
  const all = await held();
  const keys = [...new Set(all.map(({ key }) => key))].sort();
  return keys.flatMap((key) => all.filter((one) => one.key === key).map(({ text }) => key + text)).join(' ');
}

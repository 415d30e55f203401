/** Writers of `file-sink` as claims would open them: each numbers its lines by their offsets. */
import type { Json } from '../../core/json.ts';
import type { CancelSignal } from '../../core/ports.ts';
import { ConnectRecord } from '../../core/record/connect-record.ts';
import { type ShardId, shardId } from '../../core/shard-id.ts';
import type { SinkWriter, SliceIdentity } from '../../plugins/api/sink.ts';
import { fileSink } from '../../plugins/sinks/file-sink.ts';
import { aSinkRecord, textDatum } from './connect-records.ts';
import { partsIn } from './file-targets.ts';
import { ManualClock } from './manual-clock.ts';
import { aPluginContext } from './plugin-context.ts';

const NEVER: CancelSignal = new AbortController().signal;
const SHARD: ShardId = shardId('uid', ['queue', 'orders', 'broker-a', '0']);

export interface TestWriter {
  readonly writer: SinkWriter;
  begin(slice?: Partial<SliceIdentity>): Promise<Json>;
  /** Lines that are the offsets `[from, to)`, for the slice that was begun last. */
  put(from: number, to: number): Promise<void>;
  flush(): Promise<void>;
  rest(): Promise<void>;
}

interface WriterFields {
  readonly directory: string;
  readonly clock?: ManualClock;
  readonly keys?: Readonly<Record<string, string>>;
  /** `false`: records of a source, that no log has numbered. */
  readonly offsets?: boolean;
}

export async function aPartWriter({
  directory,
  clock = new ManualClock(),
  keys = {},
  offsets = true,
}: WriterFields): Promise<TestWriter> {
  const config = fileSink.config.parse({ directory, format: 'raw', ...keys });
  const writer = await fileSink.open(config, aPluginContext({ clock }));
  let slice: SliceIdentity = { shard: SHARD, generation: 1, epoch: 1 };
  return {
    writer,
    begin: async (fields = {}) => {
      slice = { ...slice, ...fields };
      return (await writer.begin?.(slice, NEVER)) ?? null;
    },
    put: async (from, to) => {
      await writer.put({ ...slice, records: numberedRecords(from, to, offsets), position: String(to), forMs: 5_000 }, NEVER);
    },
    flush: () => writer.flush(NEVER),
    rest: async () => writer.rest?.(NEVER),
  };
}

function numberedRecords(from: number, to: number, offsets: boolean): readonly ConnectRecord[] {
  return Array.from({ length: to - from }, (_, index) => {
    const record = aSinkRecord({ offset: from + index, key: textDatum('k'), value: textDatum(String(from + index)) });
    return offsets ? record : new ConnectRecord({ ...record, log: null, key: record.keyDatum, value: record.valueDatum });
  });
}

/** Names of all parts, in order. */
export function partNames(directory: string): readonly string[] {
  return partsIn(directory).map((path) => path.slice(path.lastIndexOf('/') + 1));
}

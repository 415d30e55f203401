import type { SinkPlugin, SinkWriter } from '../../plugins/api/sink.ts';

/** A plugin, and what was asked of its writers: `open`, `begin 1`, `put 3`, `flush`, `close`, in order. */
export interface WatchedSink {
  readonly plugin: SinkPlugin;
  readonly calls: string[];
  /** How often something was asked, epochs and counts aside. */
  count(call: 'open' | 'begin' | 'put' | 'flush' | 'close'): number;
}

export function watchedSink(plugin: SinkPlugin, changed: Partial<SinkWriter> = {}): WatchedSink {
  const calls: string[] = [];
  return {
    calls,
    count: (call) => calls.filter((made) => made.startsWith(call)).length,
    plugin: {
      ...plugin,
      open: async (config, context) => {
        calls.push('open');
        return watched({ ...(await plugin.open(config, context)), ...changed }, calls);
      },
    },
  };
}

function watched(writer: SinkWriter, calls: string[]): SinkWriter {
  const { begin, rest } = writer;
  return {
    ...(begin === undefined
      ? {}
      : {
          begin: (slice, signal) => {
            calls.push(`begin ${slice.epoch}`);
            return begin(slice, signal);
          },
        }),
    put: (batch, signal) => {
      calls.push(`put ${batch.records.length}`);
      return writer.put(batch, signal);
    },
    flush: (signal) => {
      calls.push('flush');
      return writer.flush(signal);
    },
    ...(rest === undefined ? {} : { rest }),
    close: () => {
      calls.push('close');
      return writer.close();
    },
  };
}

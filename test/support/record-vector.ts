/** Asks a transform or predicate what a golden vector asks. */
import type { z } from 'zod';
import type { ConnectRecord } from '../../core/record/connect-record.ts';
import { comparable, type RecordVector, recordOf, recordVectors } from './connect-form.ts';

interface Plugin<Answer> {
  readonly aliases: readonly string[];
  readonly config: z.ZodType;
  create(config: unknown): (record: ConnectRecord) => Answer;
}

export function vectorsOf({ aliases }: Pick<Plugin<unknown>, 'aliases'>): readonly RecordVector[] {
  return recordVectors().filter((vector) => aliases.includes(vector.class));
}

/** What the plugin makes of the input, or at which stage it refuses. */
export function answer(plugin: Plugin<ConnectRecord | null | boolean>, vector: RecordVector): unknown {
  let apply: (record: ConnectRecord) => ConnectRecord | null | boolean;
  try {
    apply = plugin.create(plugin.config.parse(vector.config));
  } catch {
    return { error: 'configure' };
  }
  try {
    const result = apply(recordOf(vector.input));
    return typeof result === 'object' && result !== null ? comparable(result) : result;
  } catch {
    return { error: 'apply' };
  }
}

export function wanted({ error, output, result }: RecordVector): unknown {
  if (error !== undefined) return { error: error.stage };
  return output ? comparable(recordOf(output)) : (result ?? null);
}

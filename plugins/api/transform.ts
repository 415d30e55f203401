/**
 * Transforms: one record -> one changed record, or `null` when the record is filtered (which counts as finished).
 *
 * Lifecycle: `create(config)` once per opened pipeline, throwing `ConfigError` on what a schema cannot say; then the function
 * it returns, once per record. Synchronous and pure. A transform changes, drops or passes a record on; it never reorders
 * (I7), keeps no state between records, and makes a new record (`record.with`) instead of changing one. Any throw is about
 * the record: `RecordError`, stage transform.
 */
import type { z } from 'zod';
import type { ConnectRecord } from '../../core/record/connect-record.ts';

export type Transform = (record: ConnectRecord) => ConnectRecord | null;

export interface TransformPlugin<Config extends z.ZodType = z.ZodType> {
  readonly kind: 'transform';
  readonly name: string;
  /** Other names a configuration may use, Kafka Connect's class names first. */
  readonly aliases: readonly string[];
  /** Keys below `transforms.<alias>.`, prefix removed, as text. */
  readonly config: Config;
  create(config: z.output<Config>): Transform;
}

export function defineTransform<Config extends z.ZodType>(
  plugin: Omit<TransformPlugin<Config>, 'kind'>,
): TransformPlugin<Config> {
  return { kind: 'transform', ...plugin };
}

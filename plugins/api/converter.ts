/**
 * Converters: bytes <-> value.
 *
 * Lifecycle: `create(config, role)` once per opened pipeline; then `toConnect` / `fromConnect` any number of times.
 * Synchronous and pure: no I/O, no clock, no state that changes an answer. A converter answers the shape it declares or
 * throws `RecordError` with code `record.conversion_failed` (I8): an int64 never passes through a `number`.
 */
import type { z } from 'zod';
import type { Datum, LogHeaders } from '../../core/record/connect-record.ts';
import type { Schema, Value } from '../../core/record/schema.ts';

export interface Converter {
  /** Called lazily: only when somebody looks at the record. @throws {RecordError} */
  toConnect(topic: string, bytes: Uint8Array | null, headers: LogHeaders): Datum;
  /** `null` bytes are a null key or a tombstone. @throws {RecordError} */
  fromConnect(topic: string, schema: Schema | null, value: Value): Uint8Array | null;
}

export interface ConverterPlugin<Config extends z.ZodType = z.ZodType> {
  readonly kind: 'converter';
  readonly name: string;
  /** Other names a configuration may use, Kafka Connect's class names first. */
  readonly aliases: readonly string[];
  /** Keys below `key.converter.` / `value.converter.`, prefix removed, as text. */
  readonly config: Config;
  create(config: z.output<Config>, role: 'key' | 'value'): Converter;
}

export function defineConverter<Config extends z.ZodType>(
  plugin: Omit<ConverterPlugin<Config>, 'kind'>,
): ConverterPlugin<Config> {
  return { kind: 'converter', ...plugin };
}

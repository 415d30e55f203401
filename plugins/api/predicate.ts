/**
 * Predicates: whether a transform applies to a record.
 *
 * Lifecycle as for transforms. Synchronous, pure, and changes nothing. Any throw is about the record.
 */
import type { z } from 'zod';
import type { ConnectRecord } from '../../core/record/connect-record.ts';

export type Predicate = (record: ConnectRecord) => boolean;

export interface PredicatePlugin<Config extends z.ZodType = z.ZodType> {
  readonly kind: 'predicate';
  readonly name: string;
  /** Other names a configuration may use, Kafka Connect's class names first. */
  readonly aliases: readonly string[];
  /** Keys below `predicates.<alias>.`, prefix removed, as text. */
  readonly config: Config;
  create(config: z.output<Config>): Predicate;
}

export function definePredicate<Config extends z.ZodType>(
  plugin: Omit<PredicatePlugin<Config>, 'kind'>,
): PredicatePlugin<Config> {
  return { kind: 'predicate', ...plugin };
}

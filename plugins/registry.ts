/**
 * Every plugin by name. Sources and sinks are loaded when first used, so that a host imports only the drivers it needs;
 * bundlers see each import.
 */
import type { ConverterPlugin } from './api/converter.ts';
import type { PredicatePlugin } from './api/predicate.ts';
import type { SinkPlugin } from './api/sink.ts';
import type { SourcePlugin } from './api/source.ts';
import type { TransformPlugin } from './api/transform.ts';

export interface Registry {
  readonly sinks: Readonly<Record<string, () => Promise<SinkPlugin>>>;
  readonly sources: Readonly<Record<string, () => Promise<SourcePlugin>>>;
  readonly converters: readonly ConverterPlugin[];
  readonly transforms: readonly TransformPlugin[];
  readonly predicates: readonly PredicatePlugin[];
}

/** Plugins by name or alias. Sources and sinks load when first asked for, so that a host imports only the drivers it needs. */
import type { ConverterPlugin } from './converter.ts';
import type { PredicatePlugin } from './predicate.ts';
import type { SinkPlugin } from './sink.ts';
import type { SourcePlugin } from './source.ts';
import type { TransformPlugin } from './transform.ts';

export type Plugin = SinkPlugin | SourcePlugin | ConverterPlugin | TransformPlugin | PredicatePlugin;

export interface Registry {
  findSink(name: string): Promise<SinkPlugin | undefined>;
  findSource(name: string): Promise<SourcePlugin | undefined>;
  findConverter(name: string): ConverterPlugin | undefined;
  findTransform(name: string): TransformPlugin | undefined;
  findPredicate(name: string): PredicatePlugin | undefined;
}

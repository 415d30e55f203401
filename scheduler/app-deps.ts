/** What the routes of the HTTP API are given. */
import type { StoreAccess } from '../core/cursor/stored-cursor.ts';
import type { LogBroker, Loggers, Telemetry } from '../core/ports.ts';
import type { Plugin, Registry } from '../plugins/api/registry.ts';
import type { ViewDeps } from './connector-view.ts';
import type { Access } from './http/api-keys.ts';
import type { RunHistory } from './run-history.ts';
import type { Scheduler } from './scheduler.ts';

export interface AppDeps extends StoreAccess, ViewDeps {
  readonly scheduler: Pick<Scheduler, 'connectorChanged' | 'events' | 'leads' | 'stopping' | 'trigger' | 'why'>;
  readonly history: Pick<RunHistory, 'unwritten'>;
  readonly broker: Omit<LogBroker, 'watch'>;
  readonly registry: Registry;
  readonly skewMaxMs: number;
  readonly telemetry: Telemetry;
  /** In Prometheus' text format, in parts. */
  metricsText(): Promise<AsyncIterable<string>>;
  readonly loggers: Loggers;
  /** All there are. */
  plugins(): Promise<readonly Plugin[]>;
  readonly access: Access;
  /** Of the build; Kafka Connect answers it beside its version. */
  readonly commit: string;
}

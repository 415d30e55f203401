/** What an invocation is given by the entry that runs it. */
import type { Clock, LogBroker, Random, Secrets, StateStore, Telemetry } from '../core/ports.ts';
import type { Fetch } from '../plugins/api/context.ts';
import type { Registry } from '../plugins/api/registry.ts';
import type { Sandbox } from './sandbox.ts';

export interface Host {
  readonly store: StateStore;
  readonly broker: LogBroker;
  readonly clock: Clock;
  readonly random: Random;
  readonly fetch: Fetch;
  readonly telemetry: Telemetry;
  readonly secrets: Secrets;
  readonly registry: Registry;
  readonly sandbox: Sandbox;
  readonly settings: HostSettings;
}

export interface HostSettings {
  /** Most by which the clocks of two hosts may differ. */
  readonly skewMaxMs: number;
  /** How long a claim holds without a commit. */
  readonly claimMs: number;
}

/** NTP keeps hosts within milliseconds; five seconds also cover a clock that is being slewed. */
export const DEFAULT_SETTINGS: HostSettings = { skewMaxMs: 5_000, claimMs: 20_000 };

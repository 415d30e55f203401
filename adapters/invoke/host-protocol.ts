/**
 * What an invoker and the threads or processes it starts say to each other. All of it is JSON.
 *
 *     invoker  start              invoke, invoke, ...              ping          close
 *     host            ready | crashed     ended | threw, telemetry, ... pong          (its end)
 *
 * A host that has said `ready` has begun each invocation it was told of; before that it has begun none.
 */
import type { InvocationResult, Offer } from '../../core/offer.ts';
import type { Telemetry } from '../../core/ports.ts';

export type ToHost =
  /** First, and once. `settings` is whatever the entry wants to be given. */
  | { readonly kind: 'start'; readonly settings: unknown; readonly parentPid: number }
  | { readonly kind: 'invoke'; readonly offer: Offer; readonly owner: string; readonly limitMs: number }
  /** Are you there? */
  | { readonly kind: 'ping' }
  /** Nothing is invoked any more, and what runs is to end soon, with what it has delivered: then end. */
  | { readonly kind: 'close' };

export type FromHost =
  | { readonly kind: 'ready' }
  | { readonly kind: 'ended'; readonly owner: string; readonly result: InvocationResult }
  /** The invocation has ended without a result; the host goes on. */
  | { readonly kind: 'threw'; readonly owner: string; readonly message: string }
  | { readonly kind: 'pong' }
  | { readonly kind: 'telemetry'; readonly entries: readonly TelemetryEntry[] }
  /** Its last words. */
  | { readonly kind: 'crashed'; readonly message: string };

/** A call of the host's telemetry, to be repeated by the invoker's. */
export type TelemetryEntry = {
  readonly [Method in keyof Telemetry]: readonly [method: Method, ...args: Parameters<Telemetry[Method]>];
}[keyof Telemetry];

/** A started thread or process, as the pool has it in hand. */
export interface HostHandle {
  /** Does nothing when the host has ended meanwhile. */
  send(message: ToHost): void;
  /** Ends it at once, whatever it is doing. */
  terminate(): void;
}

export interface HostEvents {
  heard(message: FromHost): void;
  /** It has ended, and nothing more is heard of it. Called once, never before `startHost` has returned. */
  ended(how: string): void;
}

export type StartHost = (events: HostEvents) => HostHandle;

/**
 * A route of the HTTP API as data: one table of them answers requests (`mount.ts`) and makes the OpenAPI document (`openapi.ts`), so
 * that neither can say what the other does not.
 */
import type { z } from 'zod';
import type { AppDeps } from '../app-deps.ts';
import type { Role } from '../http/api-keys.ts';
import type { Query } from './query.ts';

export interface QueryParameter {
  readonly name: string;
  readonly description: string;
  /** Of one value. What is repeated may be repeated. */
  readonly schema: Readonly<Record<string, unknown>>;
  readonly isRepeated?: boolean;
}

export interface RequestBody<Schema extends z.ZodType> {
  readonly schema: Schema;
  /**
   * `text`: numbers arrive as text, as they are written, for where text is meant. `exact`: integers that no double holds arrive as
   * `bigint`. `written`: as `parseWritten` says, for where JSON is passed on.
   */
  readonly numbers: 'text' | 'exact' | 'written';
  /** Without one the schema gets `{}`. */
  readonly isOptional?: boolean;
}

/** What a status code comes with. */
export interface AnswerShape {
  readonly description: string;
  /** Absent: no body. */
  readonly body?: z.ZodType;
  /** Instead of a body: a stream of server-sent events, with such data. */
  readonly events?: z.ZodType;
  /** Instead of a body: a text of this type. */
  readonly textType?: string;
}

export interface Call<Body> {
  /** A part of the path, decoded. */
  param(name: string): string;
  readonly query: Query;
  readonly body: Body;
  /** Of whoever asks. */
  readonly role: Role;
  /** Aborts when whoever asked does not wait any more. */
  readonly signal: AbortSignal;
}

export interface Answer {
  readonly status: number;
  /** As JSON; absent for none. */
  readonly body?: unknown;
  /** Instead of a body. */
  readonly stream?: ReadableStream<Uint8Array>;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Route<Schema extends z.ZodType = z.ZodType> {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** As OpenAPI writes it: `/connectors/{connector}`. */
  readonly path: string;
  /** Whoever may ask this, where keys are demanded. */
  readonly role: Role | 'anyone';
  readonly summary: string;
  readonly query?: readonly QueryParameter[];
  readonly body?: RequestBody<Schema>;
  /** Besides these, every route may answer an error. */
  readonly answers: Readonly<Record<number, AnswerShape>>;
  /** @throws {ApiError}, or a `ConnectError`, that becomes the answer. */
  run(deps: AppDeps, call: Call<z.output<Schema>>): Promise<Answer>;
}

/** Lets the compiler find the type of the body. */
export function defineRoute<Schema extends z.ZodType>(route: Route<Schema>): Route {
  return route;
}

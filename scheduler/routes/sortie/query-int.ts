/** A whole number in a query. */
import { ApiError } from '../api-error.ts';
import type { Query } from '../query.ts';
import type { QueryParameter } from '../route.ts';

export interface IntParameter extends QueryParameter {
  readonly schema: { readonly type: 'integer'; readonly minimum: number; readonly maximum: number; readonly default: number };
}

/** @throws {ApiError} 400 for anything else than such a number. */
export function queryInt(query: Query, { name, schema }: IntParameter): number {
  const text = query.first(name);
  if (text === undefined) return schema.default;
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= schema.minimum && value <= schema.maximum) return value;
  throw new ApiError(400, `${name}: must be a whole number from ${schema.minimum} to ${schema.maximum}`);
}

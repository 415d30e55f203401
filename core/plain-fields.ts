/** Fields of a log line are whatever a plugin puts there; what comes out is JSON. */
import { messageOf } from './errors.ts';

export function plainFields(fields: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(JSON.stringify(fields, withoutSpecials)) as Readonly<Record<string, unknown>>;
  } catch (error) {
    return { fields: `cannot be shown: ${messageOf(error)}` };
  }
}

function withoutSpecials(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  return value instanceof Error ? messageOf(value) : value;
}

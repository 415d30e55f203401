/** How requests prove who sends them. */
import { base64 } from '../../converters/base64.ts';

export interface Authorization {
  /** The value of the header; `null`: none. @throws {RetryableError} {FatalTaskError} where it cannot be had. */
  value(signal: AbortSignal): Promise<string | null> | string | null;
  /** A request with this value was refused. Answers whether the next value may be another. */
  forget(value: string | null): boolean;
  /** Texts that must not be shown, wherever they come back. */
  secrets(): readonly string[];
}

export function fixedAuthorization(value: string | null, secrets: readonly string[]): Authorization {
  return { value: () => value, forget: () => false, secrets: () => (value === null ? [] : [value, ...secrets]) };
}

/** The value of HTTP Basic. */
export function basic(user: string, password: string): string {
  return `Basic ${base64.encode(new TextEncoder().encode(`${user}:${password}`))}`;
}

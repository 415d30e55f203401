/**
 * Keeps secrets out of what an invocation tells: errors in run records, log lines, headers of dead letters. It finds a value as it is,
 * and as JSON or a URL would write it. A driver that shows it in yet another form is the one thing that gets past it.
 */
import { HIDDEN } from '../core/config/hidden.ts';

/** Shorter ones are no secrets, and would be found in every message. */
const CHARACTERS_MIN = 4;

/** Four of each connector that a sandbox knows; those that were put in longest ago are forgotten. */
const VALUES_MAX = 4_096;

export class Redaction {
  /** Those that were put in longest ago come first. */
  readonly #values = new Set<string>();
  /** One value may hold another: if the shorter one were hidden first, the rest of the longer one would show. */
  #longestFirst: readonly string[] = [];

  hide(values: readonly string[]): void {
    for (const value of values.flatMap(formsOf)) {
      this.#values.delete(value);
      this.#values.add(value);
      const [oldest] = this.#values;
      if (this.#values.size > VALUES_MAX && oldest !== undefined) this.#values.delete(oldest);
    }
    this.#longestFirst = [...this.#values].sort((one, other) => other.length - one.length);
  }

  text(text: string): string {
    let shown = text;
    for (const value of this.#longestFirst) shown = shown.replaceAll(value, HIDDEN);
    return shown;
  }

  fields(fields: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
    if (this.#values.size === 0) return fields;
    return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, this.#shown(value)]));
  }

  #shown(value: unknown): unknown {
    if (typeof value === 'string') return this.text(value);
    if (typeof value !== 'object' || value === null) return value;
    try {
      return value instanceof Error ? this.text(value.message) : JSON.parse(this.text(JSON.stringify(value)));
    } catch {
      return HIDDEN;
    }
  }
}

/** The end of a file is often a line break, which whoever reads it cuts off. */
function formsOf(value: string): readonly string[] {
  const trimmed = value.trim();
  const forms = new Set([trimmed, JSON.stringify(trimmed).slice(1, -1)]);
  if (!/\p{Surrogate}/u.test(trimmed)) forms.add(encodeURIComponent(trimmed));
  return [...forms].filter((form) => form.length >= CHARACTERS_MIN);
}

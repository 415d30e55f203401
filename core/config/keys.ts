/**
 * Builders for configuration keys. Kafka Connect's configurations are maps of text to text, so every key reads text; a
 * scalar that arrives as JSON is accepted as the text it would print as.
 */
import { z } from 'zod';

/** What a key takes, in Kafka's words. */
export interface KeyFacts {
  readonly type: 'BOOLEAN' | 'INT' | 'LIST' | 'PASSWORD' | 'STRING';
  /** All that it takes; empty where that cannot be listed. */
  readonly words: readonly string[];
}

/** Of a key that was built here, whatever was said about it afterwards: a default, a description. */
export function keyFacts(key: z.ZodType): KeyFacts {
  if (key instanceof z.ZodDefault || key instanceof z.ZodOptional) return keyFacts(key.unwrap() as z.ZodType);
  const { keyFacts: known, format } = key.meta() ?? {};
  if (format === 'password') return { type: 'PASSWORD', words: [] };
  if (known !== undefined) return known as KeyFacts;
  // What a plugin makes of it is its own affair; what is written in a configuration is what goes in.
  return key instanceof z.ZodPipe ? keyFacts(key.in as z.ZodType) : { type: 'STRING', words: [] };
}

function facts({ type, words = [] }: Pick<KeyFacts, 'type'> & Partial<KeyFacts>): { readonly keyFacts: KeyFacts } {
  return { keyFacts: { type, words } };
}

/** Any scalar as text, without surrounding blanks. */
const text = z.preprocess(
  (value) => (typeof value === 'number' || typeof value === 'boolean' ? String(value) : value),
  z.string().trim(),
);

export function textKey(): z.ZodType<string> {
  return text.pipe(z.string().min(1, 'must not be empty')).meta(facts({ type: 'STRING' }));
}

/** Text that nobody may see: its format in a schema is `password`, and no error and no log holds it. */
export function passwordKey(): z.ZodType<string> {
  return textKey().meta({ format: 'password' });
}

/** `true` and `false` in any case, as Kafka reads them. */
export function booleanKey(): z.ZodType<boolean> {
  const read = text.transform((value, context) => {
    const lower = value.toLowerCase();
    if (lower === 'true' || lower === 'false') return lower === 'true';
    context.addIssue({ code: 'custom', message: `must be true or false, not ${JSON.stringify(value)}` });
    return z.NEVER;
  });
  return read.meta(facts({ type: 'BOOLEAN', words: ['true', 'false'] }));
}

export function intKey({ min, max }: { readonly min: number; readonly max: number }): z.ZodType<number> {
  const read = text.transform((value, context) => {
    const int = /^[+-]?\d+$/.test(value) ? Number(value) : Number.NaN;
    if (int >= min && int <= max) return int;
    context.addIssue({ code: 'custom', message: `must be a whole number from ${min} to ${max}, not ${JSON.stringify(value)}` });
    return z.NEVER;
  });
  return read.meta(facts({ type: 'INT' }));
}

/** Blanks around items and empty items are dropped. */
export function listKey({ separator = ',' }: { readonly separator?: string } = {}): z.ZodType<readonly string[]> {
  const read = text.transform((value) =>
    value
      .split(separator)
      .map((item) => item.trim())
      .filter((item) => item !== ''),
  );
  return read.meta(facts({ type: 'LIST' }));
}

/** `host:port`, an IPv6 host in brackets. */
const ADDRESS = /^(?:\[[\da-f:.]+\]|[^\s:/[\]]+):(?<port>\d{1,5})$/i;

/** Addresses of one service, each `host:port`; between them commas or, as RocketMQ writes them, semicolons. */
export function addressesKey(): z.ZodType<readonly string[]> {
  const read = text.transform((value, context) => {
    const addresses = value
      .split(/[,;]/)
      .map((item) => item.trim())
      .filter((item) => item !== '');
    for (const address of addresses) {
      const port = Number(ADDRESS.exec(address)?.groups?.['port'] ?? 0);
      if (port > 0 && port < 65_536) continue;
      context.addIssue({ code: 'custom', message: `must be host:port each, not ${JSON.stringify(address)}` });
    }
    return addresses;
  });
  return read.meta(facts({ type: 'LIST' }));
}

/** One of the given words, in any case. */
export function enumKey<const Word extends string>(words: readonly Word[]): z.ZodType<Word> {
  const read = text.transform((value, context) => {
    const word = words.find((candidate) => candidate.toLowerCase() === value.toLowerCase());
    if (word !== undefined) return word;
    context.addIssue({ code: 'custom', message: `must be one of ${words.join(', ')}, not ${JSON.stringify(value)}` });
    return z.NEVER;
  });
  return read.meta(facts({ type: 'STRING', words }));
}

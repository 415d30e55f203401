/**
 * Builders for configuration keys. Kafka Connect's configurations are maps of text to text, so every key reads text; a
 * scalar that arrives as JSON is accepted as the text it would print as.
 */
import { z } from 'zod';

/** Any scalar as text, without surrounding blanks. */
const text = z.preprocess(
  (value) => (typeof value === 'number' || typeof value === 'boolean' ? String(value) : value),
  z.string().trim(),
);

export function textKey(): z.ZodType<string> {
  return text.pipe(z.string().min(1, 'must not be empty'));
}

/** Text that nobody may see: its format in a schema is `password`, and no error and no log holds it. */
export function passwordKey(): z.ZodType<string> {
  return textKey().meta({ format: 'password' });
}

/** `true` and `false` in any case, as Kafka reads them. */
export function booleanKey(): z.ZodType<boolean> {
  return text.transform((value, context) => {
    const lower = value.toLowerCase();
    if (lower === 'true' || lower === 'false') return lower === 'true';
    context.addIssue({ code: 'custom', message: `must be true or false, not ${JSON.stringify(value)}` });
    return z.NEVER;
  });
}

export function intKey({ min, max }: { readonly min: number; readonly max: number }): z.ZodType<number> {
  return text.transform((value, context) => {
    const int = /^[+-]?\d+$/.test(value) ? Number(value) : Number.NaN;
    if (int >= min && int <= max) return int;
    context.addIssue({ code: 'custom', message: `must be a whole number from ${min} to ${max}, not ${JSON.stringify(value)}` });
    return z.NEVER;
  });
}

/** Comma-separated; blanks around items and empty items are dropped. */
export function listKey(): z.ZodType<readonly string[]> {
  return text.transform((value) =>
    value
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== ''),
  );
}

/** One of the given words, in any case. */
export function enumKey<const Word extends string>(words: readonly Word[]): z.ZodType<Word> {
  return text.transform((value, context) => {
    const word = words.find((candidate) => candidate.toLowerCase() === value.toLowerCase());
    if (word !== undefined) return word;
    context.addIssue({ code: 'custom', message: `must be one of ${words.join(', ')}, not ${JSON.stringify(value)}` });
    return z.NEVER;
  });
}

/**
 * JSON whose numbers stay as they are written: `1.0` and twenty digits come out of `JSON.stringify` as they went in. What a double
 * writes in the same way is a number; anything else is one of JavaScript's raw JSON objects.
 */
interface RawJson {
  rawJSON(text: string): object;
}

/** Of `JSON.parse`; `source` is there for what is no object and no list. */
export type Reviver = (key: string, value: unknown, context: { readonly source?: string }) => unknown;

/**
 * @throws {SyntaxError} for what is no JSON, or has a key that would be lost when it is sent to the API; {RangeError} for what is
 * nested too deep.
 */
export function parseWritten(text: string): unknown {
  const revive: Reviver = (key, value, context) => {
    if (key === '__proto__') throw new SyntaxError('there is a key __proto__');
    return asWritten(key, value, context);
  };
  return JSON.parse(text, revive as Parameters<typeof JSON.parse>[1]);
}

export const asWritten: Reviver = (_key, value, { source }) => {
  if (typeof value !== 'number' || source === undefined || String(value) === source) return value;
  return (JSON as unknown as RawJson).rawJSON(source);
};

/**
 * Reading, copying and building structs whose field names come from records: a field may be called `__proto__` or
 * `constructor`, and neither may reach a prototype.
 */
import type { Struct, Value } from './schema.ts';

export interface StructBuilder {
  [field: string]: Value;
}

/** The struct's own field; `undefined` when it has none of that name. */
export function fieldOf<V>(struct: { readonly [field: string]: V }, name: string): V | undefined {
  return Object.hasOwn(struct, name) ? struct[name] : undefined;
}

export function setField<V>(struct: { [field: string]: V }, name: string, value: V): void {
  // The one name whose assignment would not make a field.
  if (name === '__proto__') Object.defineProperty(struct, name, { value, writable: true, enumerable: true, configurable: true });
  else struct[name] = value;
}

/** Whether a value is a struct or a schemaless map: any object that is not one of the other shapes. */
export function isStruct(value: Value): value is Struct {
  return (
    typeof value === 'object' && value !== null && !isArray(value) && !(value instanceof Uint8Array) && !(value instanceof Map)
  );
}

/** `Array.isArray` as a guard that knows read-only arrays. */
export function isArray(value: Value): value is readonly Value[] {
  return Array.isArray(value);
}

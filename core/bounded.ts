/**
 * A number that another side named, a plugin say: between 0 and `max`, whatever it was. What is no number is 0. Unbounded, one
 * would be stored as what nobody can read back, or arm a timer that never ends.
 */
export function bounded(value: number, max: number): number {
  return Number.isNaN(value) ? 0 : Math.min(Math.max(value, 0), max);
}

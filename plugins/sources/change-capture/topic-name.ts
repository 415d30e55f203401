/**
 * Logs take letters, digits and `. _ -`. Other characters of ASCII become `_`, as with Debezium; all beyond are written out by their
 * numbers, or two names in another script would be one as soon as they are of the same length.
 */
export function topicName(name: string): string {
  return name.replace(/[^\w.-]/g, (character) => (character <= '\x7f' ? '_' : writtenOut(character)));
}

/** Of one of UTF-16's units. */
function writtenOut(unit: string): string {
  return `_u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

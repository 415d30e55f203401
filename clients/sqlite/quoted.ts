/** A name as an identifier of SQL, whatever it holds. SQLite ends a statement at a NUL, so such a name cannot be written. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** As SQLite compares names of tables and columns: ASCII letters of both cases are the same, all others are not. */
export function foldedName(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}
/** A text as a literal of SQL, for the few places that take no parameter: the body of a trigger. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

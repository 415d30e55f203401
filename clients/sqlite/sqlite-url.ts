/** `sqlite:/path/shop.db`, or with `jdbc:` before it as Kafka Connect writes it; `undefined` for anything else. */
export function pathOfSqliteUrl(url: string): string | undefined {
  const [, path = ''] = /^(?:jdbc:)?sqlite:(?:\/\/(?=\/))?(.+)$/.exec(url) ?? [];
  // A database in memory is another one for each connection.
  return path === '' || path.startsWith(':memory:') || path.startsWith('file:') ? undefined : path;
}

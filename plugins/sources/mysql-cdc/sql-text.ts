/** Names and values within SQL. Sessions have an empty `sql_mode`, so a backslash escapes. */
import type { Cell } from '../../../clients/binlog/cell.ts';

export function name(text: string): string {
  return `\`${text.replaceAll('`', '``')}\``;
}

export function textLiteral(text: string): string {
  return `'${text.replace(/['\\]/g, '\\$&')}'`;
}

export function literal(cell: NonNullable<Cell>): string {
  if (typeof cell === 'string') return textLiteral(cell);
  return cell instanceof Uint8Array ? `x'${Buffer.from(cell).toString('hex')}'` : String(cell);
}

/** Places in a log whose files are numbered. */
import type { BinlogPlace } from '../../../clients/binlog/binlog-events.ts';
import { UnreadableBinlog } from '../../../clients/binlog/unreadable.ts';

export function fileNumber(file: string): bigint {
  const [, number] = /\.(\d+)$/.exec(file) ?? [];
  if (number !== undefined) return BigInt(number);
  throw new UnreadableBinlog(`${file} has no number in its name`, 'give the log another name (log_bin)');
}

/** Of two places of one server. */
export function isBefore(a: BinlogPlace, b: BinlogPlace): boolean {
  if (a.file === b.file) return a.position < b.position;
  return fileNumber(a.file) < fileNumber(b.file);
}

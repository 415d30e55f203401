/** Places in a log whose files are numbered. */
import type { BinlogPlace } from '../../../clients/binlog/binlog-events.ts';
import { POSITION_END } from '../../../clients/binlog/start-dump.ts';
import { UnreadableBinlog } from '../../../clients/binlog/unreadable.ts';

/** Of a log that is read behind a set of transactions, as long as it gave none. Nobody can ask for it. */
export const NO_PLACE: BinlogPlace = { file: '', position: POSITION_END };

export function isKnown({ file }: BinlogPlace): boolean {
  return file !== NO_PLACE.file;
}

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

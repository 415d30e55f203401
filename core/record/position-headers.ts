/** Headers that say which record of which source a record in the log is. */
import type { LogHeaders, LogRecord, Position } from './connect-record.ts';
import { formatPosition, parsePosition } from './position.ts';

export const SOURCE_HEADER = 'sortie.source';
export const POSITION_HEADER = 'sortie.position';

export function positionHeaders(source: string, position: Position): LogHeaders {
  return [
    [SOURCE_HEADER, source],
    [POSITION_HEADER, formatPosition(position)],
  ];
}

/** `undefined` for a record that this source did not send. */
export function positionIn({ headers }: LogRecord, source: string): Position | undefined {
  const sender = headers.findLast(([name]) => name === SOURCE_HEADER);
  const position = headers.findLast(([name]) => name === POSITION_HEADER);
  return sender?.[1] !== source || position === undefined ? undefined : parsePosition(position[1]);
}

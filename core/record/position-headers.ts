/** Headers that say which record of which source a record in the log is. */
import type { LogHeaders, LogRecord } from './connect-record.ts';
import { type Position, parsePosition } from './position.ts';

export const SOURCE_HEADER = 'sortie.source';
export const POSITION_HEADER = 'sortie.position';

/** Who sent a record: its shard and generation, as text, and the place that the source gave it. */
export interface SentFrom {
  readonly source: string;
  readonly position: Position;
}

/** For the records of one source, whose positions come as text. */
export function positionHeaders(source: string): (position: string) => LogHeaders {
  const ofSource = [SOURCE_HEADER, source] as const;
  return (position) => [ofSource, [POSITION_HEADER, position]];
}

/** `undefined` for a record that this source did not send. */
export function positionIn(record: LogRecord, source: string): Position | undefined {
  const sent = sentFrom(record);
  return sent?.source === source ? sent.position : undefined;
}

/** `undefined` for a record that no source with ordered positions sent. */
export function sentFrom({ headers }: LogRecord): SentFrom | undefined {
  const source = headers.findLast(([name]) => name === SOURCE_HEADER)?.[1];
  const position = headers.findLast(([name]) => name === POSITION_HEADER)?.[1];
  const place = position === undefined ? undefined : parsePosition(position);
  return source === undefined || place === undefined ? undefined : { source, position: place };
}

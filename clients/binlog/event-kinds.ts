/** Events that are passed over, and those that must not be. */
import { type EventHeader, IGNORABLE_FLAG } from './event-header.ts';
import { EventType } from './event-type.ts';
import { UnreadableBinlog } from './unreadable.ts';

const HARMLESS: ReadonlySet<number> = new Set([
  EventType.STOP,
  EventType.ROTATE,
  EventType.INTVAR,
  EventType.RAND,
  EventType.USER_VAR,
  EventType.FORMAT_DESCRIPTION,
  EventType.HEARTBEAT,
  EventType.HEARTBEAT_V2,
  EventType.ROWS_QUERY,
  EventType.PREVIOUS_GTIDS,
  EventType.TRANSACTION_CONTEXT,
  EventType.VIEW_CHANGE,
  EventType.MARIADB_ANNOTATE_ROWS,
  EventType.MARIADB_BINLOG_CHECKPOINT,
  EventType.MARIADB_GTID_LIST,
  EventType.MARIADB_START_ENCRYPTION,
]);

/** @throws {UnreadableBinlog} for one that may hold changes. */
export function demandHarmless({ type, flags }: EventHeader): void {
  if (HARMLESS.has(type) || (flags & IGNORABLE_FLAG) !== 0) return;
  switch (type) {
    case EventType.PARTIAL_UPDATE_ROWS:
      throw new UnreadableBinlog(
        'a change of JSON was logged as its difference',
        "SET GLOBAL binlog_row_value_options = '', and let no session change it; then start behind this change and read its table anew",
      );
    case EventType.INCIDENT:
      throw new UnreadableBinlog(
        'the server says that changes are missing from its log',
        'start behind this place and read the tables anew',
      );
    default:
      throw new UnreadableBinlog(`an event of type ${type}, which is not known`, 'report the version of the server');
  }
}

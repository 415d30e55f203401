/**
 * From where a server's log is read, to go on behind a checkpoint.
 *
 * On another server places say nothing, and the names of transactions say where to go on. What comes from there is of the next era, so
 * that its positions are above all before, and has no place until the server gives its first transaction. Where a reader died behind
 * that, and the next one found a third server, or the first again, the positions of two servers would stand in one era: so an era
 * begins with a checkpoint that is committed before anything of it is given.
 */
import type { BinlogPlace } from '../../../clients/binlog/binlog-events.ts';
import type { GtidSet } from '../../../clients/binlog/gtid.ts';
import { MariadbGtidSet } from '../../../clients/binlog/mariadb-gtid-set.ts';
import { MysqlGtidSet } from '../../../clients/binlog/mysql-gtid-set.ts';
import { POSITION_END } from '../../../clients/binlog/start-dump.ts';
import { UnreadableBinlog } from '../../../clients/binlog/unreadable.ts';
import type { MysqlConnection } from '../../../clients/mysql/mysql-connection.ts';
import type { LogCheckpoint } from './cdc-checkpoint.ts';
import { isKnown, NO_PLACE } from './log-places.ts';
import { serverIdentity } from './server-facts.ts';

export interface Resumption {
  /** The same checkpoint, or one of the next era. */
  readonly at: LogCheckpoint;
  readonly dump: BinlogPlace | MysqlGtidSet | MariadbGtidSet;
  /** The place is one within a transaction. */
  readonly isInTransaction: boolean;
  /** The transactions before that; what is read is added. */
  readonly gtids: GtidSet | null;
}

/** @throws {UnreadableBinlog} on another server, where transactions have no names. */
export async function resumption(
  connection: MysqlConnection,
  { server: before, era, place, gtids: names, inside: given }: LogCheckpoint,
  { tellsTransactions }: { readonly tellsTransactions: boolean },
): Promise<Resumption> {
  const server = await serverIdentity(connection);
  const gtids = names === null ? null : parseGtids(connection, names);
  const isElsewhere = server !== before;
  if (gtids !== null && (isElsewhere || place.position >= POSITION_END)) {
    const hasBegun = !isElsewhere && !isKnown(place);
    const at = { server, era: hasBegun ? era : era + 1, place: NO_PLACE, gtids: names, inside: null };
    return { at, dump: gtids, isInTransaction: false, gtids };
  }
  if (isElsewhere) throw new UnreadableBinlog(`it is another server (${server}) than before (${before})`, GTIDS);
  // To tell transactions, events are counted from the beginning.
  const inside = given !== null && tellsTransactions ? { ...given, statement: null } : given;
  const at = { server, era, place, gtids: names, inside };
  const statement = inside?.statement ?? null;
  if (statement === null) return { at, dump: place, isInTransaction: false, gtids };
  return { at, dump: { ...place, position: statement.position }, isInTransaction: true, gtids };
}

const GTIDS = 'reset the offsets of the connector; with gtid_mode=ON it could have gone on by the names of transactions';

function parseGtids({ server }: MysqlConnection, text: string): MysqlGtidSet | MariadbGtidSet {
  return server.isMariadb ? MariadbGtidSet.parse(text) : MysqlGtidSet.parse(text);
}

/**
 * Debezium's transaction metadata: each event says which of its transaction's events it is, and a topic has a record where a transaction
 * begins, and one where it ends that says how many events it had.
 *
 * Events are counted from the beginning of a transaction, so one that is resumed in its middle is read from its beginning again.
 */
import type { Datum } from '../../../core/record/connect-record.ts';
import type { Position } from '../../../core/record/position.ts';
import type { Struct } from '../../../core/record/schema.ts';
import type { PolledRecord } from '../../api/source.ts';
import { topicName } from '../change-capture/topic-name.ts';
import type { CdcSettings } from './cdc-config.ts';
import type { LoggedChange, LoggedEnd } from './log-follower.ts';
import { transactionSchemas } from './table-schemas.ts';
import type { Transaction } from './transaction.ts';

type Boundary = 'BEGIN' | 'END';

export class TransactionEvents {
  readonly #topic: string;
  #transaction: Transaction | null = null;
  /** Events of it so far, of each table. */
  readonly #counts = new Map<string, bigint>();
  #total = 0n;

  constructor({ 'topic.prefix': prefix, 'topic.delimiter': delimiter, 'topic.transaction': topic }: CdcSettings) {
    this.#topic = topicName([prefix, topic].join(delimiter));
  }

  /** Block of the next event of a table; asked for in the order of events. */
  next({ transaction, layout: { database, table } }: Pick<LoggedChange, 'transaction' | 'layout'>): Struct {
    if (transaction !== this.#transaction) this.#start(transaction);
    const name = `${database}.${table}`;
    const order = (this.#counts.get(name) ?? 0n) + 1n;
    this.#counts.set(name, order);
    this.#total += 1n;
    return { id: idOf(transaction), total_order: this.#total, data_collection_order: order };
  }

  /** What comes before the events of a change, which have not been counted yet: of the first one that has any, the beginning. */
  beginning({ transaction, event, row }: LoggedChange, nowMs: number): PolledRecord {
    return this.#record('BEGIN', { transaction, position: [...placeOf(transaction), BigInt(event), BigInt(row)], nowMs });
  }

  hasBegun(transaction: Transaction): boolean {
    return transaction === this.#transaction;
  }

  /** None of a transaction without events. */
  end({ transaction, event }: LoggedEnd, nowMs: number): readonly PolledRecord[] {
    if (!this.hasBegun(transaction)) return [];
    return [this.#record('END', { transaction, position: [...placeOf(transaction), BigInt(event)], nowMs })];
  }

  #start(transaction: Transaction): void {
    this.#transaction = transaction;
    this.#counts.clear();
    this.#total = 0n;
  }

  #record(
    status: Boundary,
    { transaction, position, nowMs }: { readonly transaction: Transaction; readonly position: Position; readonly nowMs: number },
  ): PolledRecord {
    const id = idOf(transaction);
    const counted = status === 'END';
    const value: Datum = {
      schema: transactionSchemas.value,
      value: {
        status,
        id,
        event_count: counted ? this.#total : null,
        data_collections: counted ? this.#collections() : null,
        ts_ms: BigInt(nowMs),
      },
    };
    const key = { schema: transactionSchemas.key, value: { id } };
    return { topic: this.#topic, key, value, timestampMs: transaction.atMs, headers: [], position };
  }

  #collections(): readonly Struct[] {
    return [...this.#counts].map(([name, count]) => ({ data_collection: name, event_count: count }));
  }
}

/** As Debezium says it: by its GTID, or by where it stands. */
function idOf({ note: { gtid, place } }: Transaction): string {
  return gtid?.text ?? `file=${place.file},pos=${place.position}`;
}

function placeOf({ era, fileNumber, position }: Transaction): Position {
  return [era, fileNumber, position];
}

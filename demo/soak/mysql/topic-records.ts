/**
 * Looks at every record of the tables' topics. Each change of a row makes its `v` one larger, so a change that was lost shows, even
 * where another one followed it; and each has a place in the log of the server, so one that is there twice, or too late, shows.
 */
import { type MessageQueue, queueKey } from '../../../core/message-queue.ts';
import type { LogBroker } from '../../../core/ports.ts';
import type { LogRecord } from '../../../core/record/connect-record.ts';
import { parseJson } from '../../../core/record/lossless-json.ts';
import { comparePositions, formatPosition, type Position } from '../../../core/record/position.ts';
import { sentFrom } from '../../../core/record/position-headers.ts';
import type { Deliveries } from '../deliveries.ts';
import { recordsOf } from '../queue-comparison.ts';
import { type Row, textOf } from './table-rows.ts';

const EXAMPLES_MAX = 5;

/** What records of a row have said last. */
interface Last {
  readonly row: Row;
  readonly position: Position;
}

export class TopicRecords {
  readonly rows: Row[] = [];
  readonly #broker: LogBroker;
  readonly #key: readonly string[];
  readonly #counts = { records: 0, lost: 0, duplicated: 0, outOfOrder: 0 };
  readonly #examples: string[] = [];
  readonly #queueOf = new Map<string, string>();

  private constructor(broker: LogBroker, key: readonly string[]) {
    this.#broker = broker;
    this.#key = key;
  }

  /** `key`: columns that tell rows apart. */
  static async read(broker: LogBroker, topic: string, key: readonly string[]): Promise<TopicRecords> {
    const records = new TopicRecords(broker, key);
    for (const queue of await broker.queues(topic)) await records.#readQueue(queue);
    return records;
  }

  get deliveries(): Deliveries {
    return { ...this.#counts, examples: this.#examples };
  }

  async #readQueue(queue: MessageQueue): Promise<void> {
    const last = new Map<string, Last>();
    const seen = new Set<string>();
    for await (const record of recordsOf(this.#broker, queue)) this.#note(record, { queue: queueKey(queue), last, seen });
    for (const [key, { row }] of last) {
      // All changes of a row are in one queue.
      if (this.#queueOf.has(key)) this.#count('outOfOrder', `${key} is in ${this.#queueOf.get(key)} and in ${queueKey(queue)}`);
      this.#queueOf.set(key, queueKey(queue));
      if (row['__deleted'] !== 'true') this.rows.push(row);
    }
  }

  #note(
    record: LogRecord,
    { queue, last, seen }: { readonly queue: string; readonly last: Map<string, Last>; readonly seen: Set<string> },
  ): void {
    const position = sentFrom(record)?.position ?? [];
    const row = parseJson(Buffer.from(record.value ?? []).toString()) as Row;
    const key = textOf(this.#key, row);
    const at = `${key} at ${formatPosition(position)} in ${queue}`;
    const before = last.get(key);
    this.#counts.records += 1;
    if (seen.has(formatPosition(position))) return this.#count('duplicated', at);
    seen.add(formatPosition(position));
    if (before !== undefined && comparePositions(before.position, position) >= 0) return this.#count('outOfOrder', at);
    if (before !== undefined && !follows(before.row, row))
      this.#count('lost', `${at}: ${textOf(SHOWN, row)} behind ${textOf(SHOWN, before.row)}`);
    last.set(key, { row, position });
  }

  #count(what: 'lost' | 'duplicated' | 'outOfOrder', example: string): void {
    this.#counts[what] += 1;
    if (this.#examples.length < EXAMPLES_MAX) this.#examples.push(`${what}: ${example}`);
  }
}

const SHOWN = ['__op', 'v', '__deleted'];

/** Whether nothing was left out between two records of a row. */
function follows(before: Row, after: Row): boolean {
  const isGone = before['__deleted'] === 'true';
  const byOne = Number(after['v']) - Number(before['v']);
  switch (after['__op']) {
    case 'c':
      return isGone;
    case 'u':
      return !isGone && byOne === 1;
    // A row that was read as a whole, and one that goes, are as they were.
    default:
      return !isGone && byOne === 0;
  }
}

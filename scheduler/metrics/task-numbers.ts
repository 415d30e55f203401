/** Of which task a shard is, for counters of a run. Dealt anew when the shards change, not for each run. */
import type { ShardId } from '../../core/shard-id.ts';
import type { ShardTable } from '../shard-table.ts';
import { type DealtBy, dealt } from '../status.ts';

interface Dealt {
  readonly shards: number;
  readonly tasksMax: number;
  readonly topics: DealtBy['topics'];
  readonly numbers: ReadonlyMap<ShardId, number>;
}

export class TaskNumbers {
  readonly #table: ShardTable;
  readonly #byUid = new Map<string, Dealt>();

  constructor(table: ShardTable) {
    this.#table = table;
  }

  /** `null` for a discovery, and for a shard that is gone or no longer read. */
  of(uid: string, { planned, topics }: DealtBy, shard: ShardId): number | null {
    const { tasksMax } = planned;
    const shards = this.#table.ofConnector(uid);
    let known = this.#byUid.get(uid);
    const isSame = known?.shards === shards.size && known.tasksMax === tasksMax && known.topics === topics;
    if (known === undefined || !isSame || !known.numbers.has(shard)) {
      const tasks = dealt({ planned, topics }, [...shards]);
      const numbers = new Map(tasks.flatMap((task, number) => task.map((state): [ShardId, number] => [state.shard, number])));
      known = { shards: shards.size, tasksMax, topics, numbers };
      this.#byUid.set(uid, known);
    }
    return known.numbers.get(shard) ?? null;
  }

  forget(uid: string): void {
    this.#byUid.delete(uid);
  }
}

/** Of which task a shard is, for counters of a run. Dealt anew when the shards change, not for each run. */
import type { ShardId } from '../../core/shard-id.ts';
import type { ShardTable } from '../shard-table.ts';
import { dealt } from '../status.ts';

interface Dealt {
  readonly shards: number;
  readonly tasksMax: number;
  readonly numbers: ReadonlyMap<ShardId, number>;
}

export class TaskNumbers {
  readonly #table: ShardTable;
  readonly #byUid = new Map<string, Dealt>();

  constructor(table: ShardTable) {
    this.#table = table;
  }

  /** `null` for a discovery, and for a shard that is gone. */
  of({ uid, tasksMax }: { readonly uid: string; readonly tasksMax: number }, shard: ShardId): number | null {
    const shards = this.#table.ofConnector(uid);
    let known = this.#byUid.get(uid);
    const isKnown = known?.shards === shards.size && known.tasksMax === tasksMax && known.numbers.has(shard);
    if (known === undefined || !isKnown) {
      const tasks = dealt({ planned: { tasksMax } }, [...shards]);
      const numbers = new Map(tasks.flatMap((task, number) => task.map((state): [ShardId, number] => [state.shard, number])));
      known = { shards: shards.size, tasksMax, numbers };
      this.#byUid.set(uid, known);
    }
    return known.numbers.get(shard) ?? null;
  }

  forget(uid: string): void {
    this.#byUid.delete(uid);
  }
}

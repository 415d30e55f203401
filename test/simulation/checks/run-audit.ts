/** I10 in one process: what its invocations found or dropped, against what they said of it. */
import type { ShardId } from '../../../core/shard-id.ts';

interface ShardAudit {
  running: number;
  dropsLogged: number;
  dropsCounted: number;
  /** Written into the cursor, and not logged yet. */
  untold: string | null;
}

export class RunAudit {
  readonly #shards = new Map<ShardId, ShardAudit>();

  started(shard: ShardId): void {
    this.#of(shard).running += 1;
  }

  logged(shard: ShardId, what: 'drop' | 'error'): void {
    const audit = this.#of(shard);
    if (what === 'drop') audit.dropsLogged += 1;
    else audit.untold = null;
  }

  counted(shard: ShardId, drops: number): void {
    this.#of(shard).dropsCounted += drops;
  }

  found(shard: ShardId, what: string): void {
    this.#of(shard).untold = what;
  }

  /** Whoever was not told that his write is in the store does not know of it; the next one sees it there. */
  excuse(shard: ShardId): void {
    this.#of(shard).untold = null;
  }

  /** What is wrong; compared when no invocation of the shard is left, for log lines do not say whose they are. */
  ended(shard: ShardId): string | null {
    const audit = this.#of(shard);
    audit.running -= 1;
    if (audit.running > 0) return null;
    this.#shards.delete(shard);
    if (audit.untold !== null) return `${audit.untold} of ${shard} is in no log line`;
    if (audit.dropsLogged === audit.dropsCounted) return null;
    return `${audit.dropsLogged} records of ${shard} were dropped, its run records say ${audit.dropsCounted}`;
  }

  #of(shard: ShardId): ShardAudit {
    const audit = this.#shards.get(shard) ?? { running: 0, dropsLogged: 0, dropsCounted: 0, untold: null };
    this.#shards.set(shard, audit);
    return audit;
  }
}

/**
 * The shard of the log as long as ranges of tables are read, see `ranges.ts`.
 *
 * A discovery that was held up may make the shard of a range when all others are done. So that none is read while changes are given:
 *
 * 1. When all ranges are done, the shard commits that it is about to begin. A range that opens from then on is not read.
 * 2. With that committed it looks once more: what was opened just before is there, and is waited for.
 *
 * Meanwhile it looks whether the server still has the log from where changes are to begin: nobody keeps it from being purged.
 */
import { FatalTaskError } from '../../../core/errors.ts';
import type { PluginContext } from '../../api/context.ts';
import type { CdcCheckpoint } from './cdc-checkpoint.ts';
import type { CdcSettings } from './cdc-config.ts';
import { connect } from './connection-of.ts';
import { areRangesRead, waitOf } from './ranges.ts';
import { logFiles, serverIdentity } from './server-facts.ts';

/** Between two looks, which list all shards: the first comes so soon, for small tables, and each doubles that. */
const LOOK_AFTER_MS = 1_000;
const LOOK_AFTER_MS_MAX = 5_000;

/** Until what was said is committed. */
const COMMITTED_AFTER_MS = 100;

export class RangeWait {
  readonly #config: CdcSettings;
  readonly #context: PluginContext;
  #lookAfterMs = LOOK_AFTER_MS;

  constructor(config: CdcSettings, context: PluginContext) {
    this.#config = config;
    this.#context = context;
  }

  /** Where it stands by now, and when to look again; `null`: at once. */
  async look(at: CdcCheckpoint): Promise<{ readonly at: CdcCheckpoint; readonly idleForMs: number | null }> {
    const shards = await this.#context.shards();
    if (at.waits === 'toBegin' && waitOf(shards) !== 'toBegin') return { at, idleForMs: COMMITTED_AFTER_MS };
    if (areRangesRead(shards)) return { at: { ...at, waits: at.waits === 'toBegin' ? null : 'toBegin' }, idleForMs: null };
    await this.#demandLog(at);
    const idleForMs = this.#lookAfterMs;
    this.#lookAfterMs = Math.min(2 * idleForMs, LOOK_AFTER_MS_MAX);
    return { at, idleForMs };
  }

  /** @throws {FatalTaskError} where the server does not have it any more. */
  async #demandLog({ server, place }: CdcCheckpoint): Promise<void> {
    // Then tables are read again once these are.
    if (this.#config['snapshot.mode'] === 'when_needed') return;
    const connection = await connect(this.#config, this.#context);
    try {
      // Another server has other files, and goes on behind the same transactions.
      if ((await serverIdentity(connection)) !== server || (await logFiles(connection)).includes(place.file)) return;
    } finally {
      connection.close();
    }
    throw new FatalTaskError(
      `the server does not have ${place.file} any more, with the changes since tables began to be read; next: let it keep its log for longer (binlog_expire_logs_seconds), and reset the offsets of the connector, which then reads tables between changes`,
      { code: 'source.log_lost' },
    );
  }
}

import process from 'node:process';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { claim, claimTail } from '../../../../core/cursor/claim.ts';
import { commit, release } from '../../../../core/cursor/commit.ts';
import { createLogCursor, type LogCursor, watermark } from '../../../../core/cursor/cursor.ts';
import { raiseGate, restart, skip } from '../../../../core/cursor/steer.ts';
import { offset } from '../../../../core/offset.ts';
import { aLogClaim, aProgress, CLAIM_MS, claimed, GRACE_MS } from '../../../support/builders.ts';
import { NaiveShard, upTo } from './naive-shard.ts';
import type { Model, Order, Real } from './shard-checks.ts';
import { allCommands } from './shard-commands.ts';

/** A second or two. `CURSOR_MODEL_RUNS=20000` looks harder. */
const RUNS = Number(process.env['CURSOR_MODEL_RUNS'] ?? 1_000);
const COMMANDS_MAX = 100;

describe('a cursor', () => {
  test('says what a set of finished offsets says, whatever happens, and drains once all holders are dead (I1, I2, I3, I4)', () => {
    const logs = fc.record({ start: fc.nat({ max: 20 }), records: fc.nat({ max: 150 }) });
    const orders = fc.constantFrom<Order>('ordered', 'unordered', 'mixed');
    const commands = fc.commands(allCommands, { maxCommands: COMMANDS_MAX, size: 'max' });
    fc.assert(
      fc.property(logs, orders, commands, ({ start, records }, order, sequence) => {
        const shard = new NaiveShard({ start, max: start + records });
        const model: Model = { shard, order, writes: new Map(), watermark: start, claims: 0 };
        const real: Real = { cursor: raiseGate(createLogCursor(offset(start)), shard.gate) };

        fc.modelRun(() => ({ model, real }), sequence);

        drain(model, real.cursor);
      }),
      { numRuns: RUNS },
    );
  }, 600_000);
});

/** Nobody is alive any more: claiming and committing, one after the other, finishes each record that is left, once. */
function drain({ shard, order }: Model, last: LogCursor): void {
  const nowMs = shard.nowMs + 2 * CLAIM_MS + GRACE_MS;
  let cursor = skip(restart(raiseGate(last, { state: 'running', revision: shard.gate.revision + 1 })), offset(shard.min));
  shard.skip();
  const request = { nowMs, revision: cursor.gate.revision, records: 7, max: shard.max, ordered: order === 'ordered' };
  for (let round = 0; watermark(cursor) < shard.max; round += 1) {
    const take = round % 5 === 0 ? claimTail : claim;
    const { slice, cursor: held } = claimed(take(cursor, aLogClaim({ ...request, owner: `drain-${round}` })));
    const end = slice.end ?? offset(shard.max);
    const delivered = upTo(Number(slice.start), Number(end));
    expect(delivered.filter((each) => shard.isDone(each))).toEqual([]);
    for (const each of delivered) shard.finished.add(each);
    const progress = aProgress({ epoch: slice.epoch, generation: slice.generation, from: slice.start, upTo: end });
    cursor = slice.end === null ? release(held, progress, end) : commit(held, progress, nowMs + CLAIM_MS);
  }
  expect(upTo(0, shard.max).filter((each) => !shard.isDone(each))).toEqual([]);
}

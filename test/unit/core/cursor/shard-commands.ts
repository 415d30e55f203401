/** What can happen to a shard, done to the naive one and to the cursor; after each step both must say the same. */
import { deepStrictEqual, notStrictEqual, strictEqual } from 'node:assert';
import fc from 'fast-check';
import { claim, claimTail, type LogClaimRequest } from '../../../../core/cursor/claim.ts';
import { closeTail, commit, fail, release } from '../../../../core/cursor/commit.ts';
import type { LogCursor } from '../../../../core/cursor/cursor.ts';
import { failShard, raiseGate, reset, restart, skip } from '../../../../core/cursor/steer.ts';
import { offset } from '../../../../core/offset.ts';
import { aProgress, CLAIM_MS, GRACE_MS } from '../../../support/builders.ts';
import type { Run, Terms } from './naive-shard.ts';
import { checkInvariants, type Model, type Real, unlessFenced, write } from './shard-checks.ts';

type Command = fc.Command<Model, Real>;

function command(name: string, run: (model: Model, real: Real) => void): Command {
  return {
    check: () => true,
    run: (model, real) => {
      const { generation } = real.cursor;
      run(model, real);
      checkInvariants(model, real.cursor, generation);
    },
    toString: () => name,
  };
}

function progressOf({ epoch, generation, from }: Run, to: number) {
  return aProgress({ epoch, generation, from, upTo: to });
}

// ---------------------------------------------------------------------------------------------------------------------

function claimRequest({ shard, claims }: Model, { records, heldMax, ordered, revision, knowsEnds }: Terms): LogClaimRequest {
  return {
    holder: { owner: `claim-${claims}`, deadlineAtMs: shard.nowMs + CLAIM_MS },
    nowMs: shard.nowMs,
    revision,
    graceMs: GRACE_MS,
    ended: knowsEnds ? [...shard.seenToEnd].map(({ owner, epoch }) => ({ owner, epoch })) : [],
    records,
    max: offset(shard.max),
    ordered,
    heldMax,
  };
}

/** With what came before it in the same write. */
function claimAfter(model: Model, real: Real, terms: Terms, change: (cursor: LogCursor) => LogCursor): void {
  const { shard, writes } = model;
  model.claims += 1;
  const request = claimRequest(model, terms);
  const take = terms.wantsTail ? claimTail : claim;
  const transition = (cursor: LogCursor) => {
    const changed = change(cursor);
    const answer = take(changed, request);
    return answer.kind === 'claimed' ? answer.cursor : changed;
  };
  const answer = take(change(real.cursor), request);
  real.cursor = transition(real.cursor);
  const grant = shard.grant(terms);
  if (answer.kind === 'refused' || grant === null) {
    strictEqual(answer.kind === 'refused', grant === null, 'one of them refused the claim');
    return;
  }
  const { start, end, deaths, epoch, generation } = answer.slice;
  deepStrictEqual(
    { start: Number(start), end: end === null ? null : Number(end), deaths },
    { start: grant.start, end: grant.end, deaths: grant.deaths },
  );
  const run: Run = { owner: request.holder.owner, epoch, generation, from: grant.start, end: grant.end };
  shard.take(grant, run, terms);
  writes.set(run, transition);
}

interface TermsChoice extends Omit<Terms, 'revision'> {
  readonly isCurrent: boolean;
}

const terms: fc.Arbitrary<TermsChoice> = fc.record({
  records: fc.integer({ min: 1, max: 12 }),
  heldMax: fc.integer({ min: 1, max: 10 }),
  ordered: fc.boolean(),
  wantsTail: often(false),
  knowsEnds: fc.boolean(),
  isCurrent: often(true),
});

function often(value: boolean): fc.Arbitrary<boolean> {
  return fc.oneof({ arbitrary: fc.constant(value), weight: 7 }, { arbitrary: fc.constant(!value), weight: 1 });
}

function termsOf({ shard, order }: Model, { isCurrent, ordered, ...rest }: TermsChoice): Terms {
  const { revision } = shard.gate;
  return { ...rest, ordered: order === 'mixed' ? ordered : order === 'ordered', revision: isCurrent ? revision : revision - 1 };
}

const claims = terms.map((choice) =>
  command(`claim ${JSON.stringify(choice)}`, (model, real) => {
    claimAfter(model, real, termsOf(model, choice), (cursor) => cursor);
  }),
);

// ---------------------------------------------------------------------------------------------------------------------

/** One of all runs so far, more often one that holds its slice; and how far it has come. */
interface Act {
  readonly pick: number;
  readonly holds: boolean;
  /** Quarters of a slice, or records of a tail. */
  readonly share: number;
  readonly ahead: number;
}

const acts: fc.Arbitrary<Act> = fc.record({
  pick: fc.nat(),
  holds: often(true),
  share: fc.constantFrom(0, 1, 2, 4, 4),
  ahead: fc.nat({ max: 9 }),
});

function actOn(
  name: string,
  { pick, holds, share, ahead }: Act,
  act: (model: Model, real: Real, run: Run, place: Place) => void,
): Command {
  return command(`${name} ${JSON.stringify({ pick, holds, share, ahead })}`, (model, real) => {
    const { shard } = model;
    const runs = holds ? shard.runs.filter((run) => shard.pieceOf(run) !== undefined) : shard.runs;
    const run = runs[pick % Math.max(1, runs.length)];
    if (run === undefined) return;
    const to =
      run.end === null
        ? Math.min(run.from + share, Math.max(shard.max, run.from))
        : run.from + Math.floor(((run.end - run.from) * share) / 4);
    act(model, real, run, { to, readEnd: run.end ?? Math.min(to + ahead, Math.max(shard.max, to)) });
  });
}

interface Place {
  readonly to: number;
  readonly readEnd: number;
}

const commits = acts.map((choice) =>
  actOn('commit', choice, (model, real, run, { to }) => {
    const deadlineAtMs = model.shard.nowMs + CLAIM_MS;
    const progress = progressOf(run, to);
    if (!write(model, real, run, { to, transition: (cursor) => commit(cursor, progress, deadlineAtMs) })) return;
    model.shard.finish(run, { to, left: { run, untilMs: deadlineAtMs }, end: null });
    run.from = to;
  }),
);

const releases = acts.map((choice) =>
  actOn('release', choice, (model, real, run, { to, readEnd }) => {
    const progress = progressOf(run, to);
    if (!write(model, real, run, { to, transition: (cursor) => release(cursor, progress, offset(readEnd)) })) return;
    model.shard.finish(run, { to, left: { run: null, untilMs: 0 }, end: readEnd });
  }),
);

const fails = fc.tuple(acts, fc.integer({ min: 0, max: CLAIM_MS })).map(([choice, backoffMs]) =>
  actOn(`fail ${backoffMs}`, choice, (model, real, run, { to, readEnd }) => {
    const progress = progressOf(run, to);
    const failure = { readEnd: offset(readEnd), error: 'target.unavailable', retryAtMs: model.shard.nowMs + backoffMs } as const;
    if (!write(model, real, run, { to, transition: (cursor) => fail(cursor, progress, failure) })) return;
    model.shard.finish(run, { to, left: { run: null, untilMs: failure.retryAtMs }, end: readEnd });
  }),
);

/** A slice that is finished, or a tail that ends, and the next claim in one write. */
const commitsAndClaims = fc.tuple(acts, terms).map(([choice, next]) =>
  actOn(`end and claim ${JSON.stringify(next)}`, choice, (model, real, run, { to, readEnd }) => {
    const { shard } = model;
    if (shard.pieceOf(run) === undefined) return;
    const progress = progressOf(run, run.end ?? to);
    shard.finish(run, { to: run.end ?? to, left: { run: null, untilMs: 0 }, end: readEnd });
    claimAfter(model, real, termsOf(model, next), (cursor) =>
      run.end === null ? release(cursor, progress, offset(readEnd)) : commit(cursor, progress, shard.nowMs),
    );
  }),
);

const closes = acts.map((choice) =>
  actOn('close tail', choice, (model, real, run, { readEnd }) => {
    const { shard, writes } = model;
    if (run.end !== null) return;
    const piece = shard.pieceOf(run);
    const { epoch, generation } = run;
    const transition = (cursor: LogCursor) => closeTail(cursor, { epoch, generation, end: offset(readEnd) });
    const after = unlessFenced(() => transition(real.cursor));
    strictEqual(after === null, piece === undefined, 'only the holder closes its tail (I2)');
    if (after === null || piece === undefined) return;
    real.cursor = after;
    writes.set(run, transition);
    shard.finish(run, { to: piece.start, left: piece, end: readEnd });
    run.end = Math.max(readEnd, piece.start);
  }),
);

/** The reply was lost, and the write is sent again, now or later: what it did is there, or somebody else has the slice. */
const resends = acts.map((choice) =>
  actOn('send again', choice, ({ shard, writes }, real, run) => {
    const transition = writes.get(run);
    const before = real.cursor;
    if (transition === undefined || (shard.pieceOf(run) === undefined && isClaim(before, transition))) return;
    const after = unlessFenced(() => transition(before));
    if (after !== null) deepStrictEqual(after, before, 'a write that was sent again changed something (I2)');
    else strictEqual(shard.pieceOf(run), undefined, 'a holder was fenced (I2)');
  }),
);

/** A claim whose slice has ended is not the same claim when it is made again. */
function isClaim(cursor: LogCursor, transition: (cursor: LogCursor) => LogCursor): boolean {
  const after = unlessFenced(() => transition(cursor));
  return after !== null && after.epoch > cursor.epoch;
}

const deaths = acts.map((choice) =>
  actOn('is seen to end', choice, ({ shard }, _, run) => {
    shard.seenToEnd.add(run);
  }),
);

// ---------------------------------------------------------------------------------------------------------------------

const waits = fc.nat({ max: CLAIM_MS + 2 * GRACE_MS }).map((byMs) =>
  command(`wait ${byMs} ms`, ({ shard }) => {
    shard.nowMs += byMs;
  }),
);

const growths = fc.integer({ min: 1, max: 30 }).map((records) =>
  command(`grow by ${records}`, ({ shard }) => {
    shard.max += records;
  }),
);

const retentions = fc.nat({ max: 20 }).map((records) =>
  command(`retention takes ${records}`, ({ shard }, real) => {
    shard.min = Math.min(shard.max, shard.min + records);
    shard.skip();
    real.cursor = skip(real.cursor, offset(shard.min));
  }),
);

const gates = fc
  .record({ state: fc.constantFrom('running', 'running', 'running', 'paused', 'stopped'), by: fc.constantFrom(-1, 0, 1, 1, 1) })
  .map(({ state, by }) =>
    command(`gate ${state} ${by}`, ({ shard }, real) => {
      const gate = { state, revision: shard.gate.revision + by };
      if (by > 0) shard.gate = gate;
      real.cursor = raiseGate(real.cursor, gate);
      deepStrictEqual(real.cursor.gate, shard.gate);
    }),
  );

const failures = fc.option(fc.nat({ max: CLAIM_MS })).map((retryInMs) =>
  command(`shard fails ${retryInMs}`, ({ shard }, real) => {
    const retryAtMs = retryInMs === null ? null : shard.nowMs + retryInMs;
    shard.failedUntilMs = retryAtMs ?? Number.POSITIVE_INFINITY;
    real.cursor = failShard(real.cursor, { code: 'task.failed', retryAtMs });
  }),
);

const restarts = fc.constant(
  command('restart', ({ shard }, real) => {
    real.cursor = restart(real.cursor);
    if (shard.failedUntilMs === null) return;
    shard.failedUntilMs = null;
    shard.pieces = shard.pieces.map((piece) => (piece.run === null ? { ...piece, deaths: 0 } : piece));
  }),
);

const resets = fc.nat().map((at) =>
  command(`reset ${at}`, (model, real) => {
    const { shard } = model;
    shard.gate = { state: 'stopped', revision: shard.gate.revision + 1 };
    const stopped = raiseGate(real.cursor, shard.gate);
    const position = shard.min + (at % (shard.max - shard.min + 1));
    const request = { position: offset(position), nowMs: shard.nowMs, graceMs: GRACE_MS };
    notStrictEqual(reset(raiseGate(real.cursor, { state: 'paused', revision: 9_999 }), request).kind, 'reset');
    const answer = reset(stopped, request);
    strictEqual(
      answer.kind === 'refused',
      shard.pieces.some((piece) => (piece.run === null ? piece.untilMs > shard.nowMs : shard.isLive(piece, false))),
      'a reset beside a holder (I2), or a back-off',
    );
    if (answer.kind === 'reset') shard.reset(position);
    shard.gate = { state: 'running', revision: shard.gate.revision + 1 };
    real.cursor = raiseGate(answer.kind === 'reset' ? answer.cursor : stopped, shard.gate);
  }),
);

/** Operators act rarely, so that much happens between two of their actions; and open again what they closed. */
const actions = fc.oneof(
  { arbitrary: retentions, weight: 3 },
  { arbitrary: gates, weight: 2 },
  { arbitrary: failures, weight: 1 },
  { arbitrary: restarts, weight: 3 },
  { arbitrary: resets, weight: 1 },
);

export const allCommands: fc.Arbitrary<Command>[] = [
  ...[claims, claims, claims, claims, claims, claims, claims, claims],
  ...[commits, commits, commitsAndClaims, commitsAndClaims, releases, fails, fails, closes],
  ...[resends, resends, deaths, deaths, waits, waits, growths, growths, actions, actions],
];

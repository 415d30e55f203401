/**
 * Bugs that are planted to see whether anything finds them: small changes of the product's source, made while it is loaded.
 *
 * A patch whose text is no longer in its file fails, so that the list cannot go stale.
 */
export interface PlantedBug {
  readonly name: string;
  /** From the root of the repository. */
  readonly file: string;
  /** Each text is there, and is replaced wherever it is. */
  readonly edits: readonly { readonly find: string; readonly replace: string }[];
}

export const plantedBugs: readonly PlantedBug[] = [
  {
    name: 'commit past an open slice',
    file: 'core/cursor/commit.ts',
    edits: [
      {
        find: 'if (range !== held) open.push(range);',
        replace: 'if (range !== held && range.start > held.start) open.push(range);',
      },
    ],
  },
  {
    name: 'ignore the epoch',
    file: 'core/cursor/commit.ts',
    edits: [
      {
        find: "if (range.kind !== 'held' || range.epoch !== epoch) continue;",
        replace: "if (range.kind !== 'held' || (range.end !== null && upTo > range.end)) continue;",
      },
    ],
  },
  {
    name: 'drop the rest on release',
    file: 'core/cursor/commit.ts',
    edits: [
      {
        find: "end === start\n      ? null\n      : {\n          kind: 'free'",
        replace: "failure === null\n      ? null\n      : {\n          kind: 'free'",
      },
    ],
  },
  {
    name: 'a half lost in halving',
    file: 'core/cursor/claim.ts',
    edits: [
      { find: 'if (request.ordered && end === next) next = half;', replace: 'if (request.ordered && end === next) next = end;' },
    ],
  },
  {
    name: 'resume off by one',
    file: 'functions/log-work.ts',
    edits: [
      {
        find: 'this.#reader.start(slice);',
        replace: 'this.#reader.start(slice.deaths > 0 ? { ...slice, start: slice.start + 1n } : slice);',
      },
    ],
  },
  {
    name: 'dead letter after the commit',
    file: 'functions/dead-letter.ts',
    edits: [
      {
        find: 'return host.broker.send(queue, records);',
        replace:
          'void host.clock.sleep(50).then(() => host.broker.send(queue, records)).catch(() => undefined); return { endOffset: 0n, refused: [] };',
      },
    ],
  },
  {
    name: 'a lost reply taken as failure and skipped',
    file: 'core/cursor/claim.ts',
    edits: [
      {
        find: "if (own !== undefined) return { kind: 'claimed', cursor, slice: sliceOf(own, cursor) };",
        replace:
          'if (own !== undefined) return claim({ ...cursor, open: cursor.open.filter((range) => range !== own) }, request);',
      },
    ],
  },
  {
    name: 'claim without a look at the gate',
    file: 'core/cursor/claim.ts',
    edits: [
      {
        find: "if (gate.state !== 'running') return refused('gate-closed', null);",
        replace: '',
      },
    ],
  },
  {
    name: 'claim with an old configuration',
    file: 'core/cursor/claim.ts',
    edits: [
      {
        find: "if (gate.revision !== revision) return refused('revision-differs', null);",
        replace: '',
      },
    ],
  },
  {
    name: 'a uid used again',
    file: 'scheduler/connector-actions.ts',
    edits: [
      {
        find: 'uid: deps.random.id(),',
        replace: 'uid: name,',
      },
    ],
  },
  {
    name: 'a log that ends before next is ignored',
    file: 'core/log-check.ts',
    edits: [
      {
        find: 'if (max < cursor.next)',
        replace: 'if (max < cursor.next && max > cursor.next)',
      },
    ],
  },
  {
    name: 'a topic created anew and refilled is ignored',
    file: 'core/log-check.ts',
    edits: [
      {
        find: 'if (first !== null && first.storedAtMs > newestAtMs(cursor, first.at) + skewMaxMs)',
        replace: 'if (first !== null && first.storedAtMs < 0)',
      },
    ],
  },
  {
    name: 'a log is not known before its first commit',
    file: 'core/cursor/first-record.ts',
    edits: [{ find: 'if (firstRecord === null ||', replace: 'if (cursor.next >= 0n || firstRecord === null ||' }],
  },
  {
    name: 'a failure forgotten while the queue is away',
    file: 'core/cursor/steer.ts',
    edits: [{ find: "return status.state === 'active' ? {", replace: "return status.state !== 'done' ? {" }],
  },
  {
    name: 'a claim beyond a tail',
    file: 'core/cursor/claim.ts',
    edits: [
      {
        find: "if (tailHeld) return refused('held', notBeforeMs);",
        replace: '',
      },
    ],
  },
  {
    name: 'reclaim without the skew',
    file: 'core/cursor/claim.ts',
    edits: [{ find: 'return holder.deadlineAtMs + graceMs;', replace: 'return holder.deadlineAtMs + 0 * graceMs;' }],
  },
  {
    name: "a source's place is taken without the skew",
    file: 'core/cursor/claim.ts',
    edits: [
      {
        find: 'if (holder !== null && !isAbandoned({ holder, epoch: cursor.epoch }, request))',
        replace:
          'if (holder !== null && holder.deadlineAtMs > request.nowMs && !isAbandoned({ holder, epoch: cursor.epoch }, request))',
      },
    ],
  },
  {
    name: 'what a put left is taken for delivered',
    file: 'functions/deliver.ts',
    edits: [
      {
        find: "if (effect === 'transactional' || index >= taken) return true;",
        replace: "if (effect === 'transactional') return true;",
      },
    ],
  },
  {
    name: 'a new queue starts at latest',
    file: 'core/start-offset.ts',
    edits: [
      {
        find: "if (reset === 'earliest') return bounds.min;",
        replace: "if (reset === 'earliest') return bounds.min;\n  if (reset === 'latest') return bounds.max;",
      },
    ],
  },
  {
    name: 'an ordered claim beyond a head in back-off',
    file: 'core/cursor/claim.ts',
    edits: [
      {
        find: "if (head?.kind === 'free' && head.retryAtMs > request.nowMs) return refused('backing-off', head.retryAtMs);\n  return { range: head ?? null };",
        replace: "return { range: head?.kind === 'free' && head.retryAtMs > request.nowMs ? null : (head ?? null) };",
      },
    ],
  },
  {
    name: 'a transactional target keyed by generation',
    file: 'test/support/memory-sink.ts',
    edits: [
      { find: 'target.rows.get(slice.shard)', replace: 'target.rows.get(`${slice.shard}#${slice.generation}`)' },
      { find: 'target.rows.set(slice.shard,', replace: 'target.rows.set(`${slice.shard}#${slice.generation}`,' },
      { find: 'rows.get(shard)', replace: 'rows.get(`${shard}#${generation}`)' },
      { find: 'target.rows.set(batch.shard,', replace: 'target.rows.set(`${batch.shard}#${batch.generation}`,' },
    ],
  },
  {
    name: 'a transactional target keyed without generation',
    file: 'test/support/memory-sink.ts',
    edits: [
      { find: 'row?.generation === slice.generation ? row.position : null', replace: 'row === undefined ? null : row.position' },
    ],
  },
  {
    name: 'a checkpoint ahead of durable sends',
    file: 'functions/log-writer.ts',
    edits: [
      {
        find: 'const { refused } = await this.#host.broker.send(queue, records);',
        replace: 'void this.#host.broker.send(queue, records).catch(() => undefined); const refused = [];',
      },
    ],
  },
  {
    name: 'an exactly-once checkpoint ahead of durable sends',
    file: 'functions/exactly-once-writer.ts',
    edits: [
      {
        find: 'const { endOffset, refused } = await this.#host.broker.send(queue, fresh.records);',
        replace:
          'const sending = this.#host.broker.send(queue, fresh.records); sending.catch(() => undefined); const endOffset = 0n, refused = [];',
      },
    ],
  },
  {
    name: 'no look-back after an unclean end',
    file: 'functions/exactly-once-writer.ts',
    edits: [
      {
        find: 'if (!this.#isInDoubt) return null;',
        replace: 'this.#isInDoubt = false;\n    if (!this.#isInDoubt) return null;',
      },
    ],
  },
  {
    name: 'a pinned queue known by its bounds alone',
    file: 'functions/known-queue.ts',
    edits: [
      {
        find: 'if (from <= bounds.min || below === undefined) return false;',
        replace: 'return false;',
      },
    ],
  },
  {
    name: 'a pinned queue that is away is taken for gone',
    file: 'functions/known-queue.ts',
    edits: [
      {
        find: 'if (held === null) return goneFor(broker, pin);',
        replace: 'if (held === null) return [];',
      },
    ],
  },
  {
    name: 'a look-back at once',
    file: 'functions/exactly-once-writer.ts',
    edits: [
      {
        find: 'await this.#host.clock.sleep(this.#host.broker.sendLandsWithinMs);',
        replace: '',
      },
    ],
  },
  {
    name: 'a send after the claim is over',
    file: 'functions/exactly-once-writer.ts',
    edits: [
      {
        find: 'if (signal.aborted || !this.#maySend()) throw new SliceOver();',
        replace: 'if (signal.aborted) throw new SliceOver();',
      },
    ],
  },
  {
    name: 'commit before flush',
    file: 'functions/settle.ts',
    edits: [
      {
        find: 'await limited(invocation, work, (signal) => writer.flush(signal));\n  work.flushed();',
        replace: 'work.flushed();\n  void limited(invocation, work, (signal) => writer.flush(signal)).catch(() => undefined);',
      },
    ],
  },
  {
    name: 'put again into a transactional target in one epoch',
    file: 'functions/deliver.ts',
    edits: [
      {
        find: "if (delivery.effect === 'transactional') throw new SliceBroken(error);",
        replace: '',
      },
    ],
  },
  {
    name: 'an overwrite target does not wait for a late put',
    file: 'core/effect.ts',
    edits: [
      {
        find: "return effect === 'overwrite' ? runtime['put.timeout.ms'] : 0;",
        replace: "return effect === 'overwrite' && runtime['put.timeout.ms'] < 0 ? 1 : 0;",
      },
      { find: "return effect === 'overwrite' ? PUT_TIMEOUT_MAX_MS : 0;", replace: "return effect === 'overwrite' ? 0 : 0;" },
    ],
  },
  {
    name: 'a gap passed over in silence',
    file: 'core/cursor/steer.ts',
    edits: [
      {
        find: 'const gaps = { count:',
        replace: 'const gaps = start >= 0n ? cursor.gaps : { count:',
      },
    ],
  },
  {
    name: 'a claim of ten times the records',
    file: 'core/cursor/claim.ts',
    edits: [{ find: 'advance(cursor.next, request.records)', replace: 'advance(cursor.next, request.records * 10)' }],
  },
  {
    name: 'a running slice does not mind its gate',
    file: 'functions/gate-watch.ts',
    edits: [{ find: 'if (!this.isOpen()) throw new SliceOver();', replace: '' }],
  },
  {
    name: 'a gap counted as nothing',
    file: 'core/cursor/steer.ts',
    edits: [{ find: '+ BigInt(records), start, end: to }', replace: '+ 0n, start, end: to }' }],
  },
  {
    name: 'a put into an append target is made twice',
    file: 'functions/deliver.ts',
    edits: [
      {
        find: 'const stale = result.stale ?? 0;',
        replace:
          "if (delivery.effect === 'append') await writer.put({ ...slice.identity, records, position, forMs: 5_000 }, new AbortController().signal);\n    const stale = result.stale ?? 0;",
      },
    ],
  },
  {
    name: 'a slot leaked by a lost outcome',
    file: 'scheduler/dispatch.ts',
    edits: [{ find: 'filter(({ lookAtMs }) => lookAtMs <= now)', replace: 'filter(({ lookAtMs }) => lookAtMs < 0 * now)' }],
  },
  {
    name: 'an offer to a closed gate for ever',
    file: 'core/planner/demand.ts',
    edits: [
      {
        find: "if (connector.targetState !== 'running') return none(facts, connector.targetState, null);",
        replace: '',
      },
    ],
  },
  {
    name: 'starvation behind a hot connector',
    file: 'core/planner/allot.ts',
    edits: [
      { find: 'a.rank - b.rank || byWait', replace: 'byWait' },
      { find: 'if (a.waitingSinceMs !== b.waitingSinceMs) return a.waitingSinceMs - b.waitingSinceMs;', replace: '' },
    ],
  },
  {
    name: 'more invocations than tasks.max',
    file: 'core/planner/allot.ts',
    edits: [
      {
        find: 'const runs = running.byConnector.get(uid) ?? 0;',
        replace: 'const runs = 0 * (running.byConnector.get(uid) ?? 0);',
      },
    ],
  },
  {
    name: 'a stale view that hides a backlog',
    file: 'scheduler/backlog.ts',
    edits: [
      { find: 'state.bounds = bounds;', replace: "if (typeof state.bounds !== 'object') state.bounds = bounds;" },
      {
        find: 'if (!this.#watch.watch(shard, queue, { from: cursor.next, movedAtMs })) this.#topics.unwatched(queue.topic);',
        replace: '',
      },
    ],
  },
  {
    name: 'automatic restarts without a budget',
    file: 'core/backoff.ts',
    edits: [{ find: 'if (restarts >= restartsMax) return null;', replace: '' }],
  },
  {
    name: 'a failed shard is offered for ever',
    file: 'core/planner/demand.ts',
    edits: [
      {
        find: "if (status.retryAtMs === null) return none(facts, 'failed', null);",
        replace: 'if (status.retryAtMs === null) return null;',
      },
    ],
  },
  {
    name: 'a lost connection taken for the end of its invocation',
    file: 'scheduler/holders.ts',
    edits: [
      {
        find: 'dispatch.isAlive(flight);',
        replace:
          '{ for (const range of flight.state.cursor.open ?? []) if (range.holder?.owner.startsWith(`${flight.offer.id}/`)) flight.state.endedOwners.set(range.holder.owner, { owner: range.holder.owner, epoch: range.epoch, isGone: false }); dispatch.drop(flight); }',
      },
    ],
  },
  {
    name: 'a pause left half done is never finished',
    file: 'scheduler/heal.ts',
    edits: [
      {
        find: 'if (cursor !== null && cursor.gate.revision < revision) return true;',
        replace: 'if (cursor === null) return false;',
      },
    ],
  },
  {
    name: 'a drained queue is offered again and again',
    file: 'core/planner/demand.ts',
    edits: [
      {
        find: "return left.retryAtMs === null ? none(facts, 'drained', null) : none(",
        replace: "return left.retryAtMs === null ? some(facts, 'backlog', 1) : none(",
      },
    ],
  },
  {
    name: 'a tail that died at the end of its log is left',
    file: 'core/planner/demand.ts',
    edits: [{ find: "if (left.isTail && cursor.status.state === 'active')", replace: 'if (false)' }],
  },
  {
    name: 'two runs of an offer, one ended',
    file: 'scheduler/shard-state.ts',
    edits: [{ find: 'if (isHolderOf(run, owner)) this', replace: 'if (offerIdOf(owner) === offerIdOf(run)) this' }],
  },
];
